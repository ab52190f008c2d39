"""An image of any mode -> upright 8-bit pixels of one mode, L or RGB, by stated rules; and the rules that were applied.

Grey of more than 8 bits is scaled (data/images/levels.py), never clipped; transparent pixels are laid over white or black; the
orientation in the EXIF data is applied; CMYK, palettes, bilevel and 16-bit colour are converted by Pillow; of several pictures
in a file the first is read.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, UnidentifiedImageError

from resbench.data.images.formats import FORMATS
from resbench.data.images.levels import Levels, to_uint8
from resbench.errors import Reason

MODES = {1: "L", 3: "RGB"}
MAX_PIXELS = 89_478_485  # of one image: a small file may unpack to any size; Pillow warns at this number
ORIENTATION = 0x0112  # the EXIF tag
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_90,
}  # fmt: skip
_DEEP = (0.0, 65535.0)
_SEVERAL = ("GIF", "PNG", "WEBP", "TIFF", "AVIF")  # formats whose files may hold further pictures
_SIXTEEN_BITS = ("PNG", "PPM", "JPEG2000")  # formats whose 32-bit integers are 16-bit values in Pillow's memory
warnings.filterwarnings(
    "error", category=Image.DecompressionBombWarning
)  # threads cannot each have filters of their own


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules by which the images of a data set are read.

    `levels`: black and white of grey images of more than 8 bits; None: 16 bits use the range of their type, others are refused.
    `transparent`: the colour behind transparent pixels.
    """

    channels: int = 3
    levels: Levels | None = None
    transparent: Literal["white", "black"] = "white"


@dataclass(frozen=True, slots=True)
class Read:
    """An image as read. `changed`: the rules that made its pixels differ from Pillow's plain conversion; they are part of a
    data set's digest, so their words must not change. `noted`: other facts that a person should know.
    """

    image: Image.Image
    changed: tuple[str, ...] = ()
    noted: tuple[str, ...] = ()


@cache
def _formats() -> tuple[str, ...]:
    """Return the formats that this Pillow knows; older ones have no AVIF."""
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def read_image(source: Path | BytesIO, rules: Rules) -> Read:
    """Decode the first picture of a file. Raises Reason if it cannot be decoded."""
    with _faults(), Image.open(source, formats=_formats()) as file:
        return convert(file, rules)


def verify(content: bytes) -> bool:
    """Verify the checksums in a file; return whether it has several pictures. Raises Reason if it is damaged."""
    with _faults():
        with Image.open(BytesIO(content), formats=_formats()) as file:
            several = file.format in _SEVERAL and getattr(file, "n_frames", 1) > 1
        with Image.open(BytesIO(content), formats=_formats()) as file:
            file.verify()
    return several


@contextmanager
def _faults() -> Iterator[None]:
    try:
        yield
    except (Reason, MemoryError):
        raise
    except UnidentifiedImageError:
        raise Reason("cannot identify image file") from None
    except OSError as error:
        raise Reason(error.strerror or str(error)) from None
    except Exception as error:  # on damaged files, decoders raise exceptions of any type
        raise Reason(str(error) or type(error).__name__) from None


def convert(image: Image.Image, rules: Rules) -> Read:
    """Convert an open image by the rules. Raises Reason, and whatever its decoder raises."""
    if image.width * image.height > MAX_PIXELS:
        raise Reason(f"it has {image.width} x {image.height} pixels; at most {MAX_PIXELS:,} are allowed")
    image.load()
    changed: list[str] = []
    noted: list[str] = []
    method = UPRIGHT.get(_orientation(image))  # Pillow rotates TIFF on load and then drops the tag
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        made, *changed = _deep(image, rules)
    else:
        made, *changed = _over_ground(image, rules)
        if image.mode == "CMYK":
            noted.append("cmyk")
    if method is not None:
        made = made.transpose(method)
        changed.append("upright")
    return Read(made, tuple(changed), tuple(noted))


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    except Exception:  # tags are damaged more often than pixels, and are then ignored
        return 1


def _deep(image: Image.Image, rules: Rules) -> tuple[Image.Image, *tuple[str, ...]]:
    """Convert grey of 16 or 32 bits, integers or floats; return the image and the rules applied."""
    values, levels = np.asarray(image), rules.levels or _levels(image)
    if levels is None:
        kind = "floats" if image.mode == "F" else "32-bit integers"
        span = f"here from {values.min():g} to {values.max():g}"
        raise Reason(f"its pixels are {kind}, {span}: give black and white as `levels: [low, high]`")
    pixels, changed = to_uint8(values, levels), [f"levels {levels[0]:.17g} {levels[1]:.17g}"]
    transparent = image.info.get("transparency")
    if isinstance(transparent, int) and (values == transparent).any():
        pixels[values == transparent] = 255 if rules.transparent == "white" else 0
        changed.append(f"over {rules.transparent}")
    return Image.fromarray(pixels).convert(MODES[rules.channels]), *changed


def _levels(image: Image.Image) -> Levels | None:
    """Return black and white by the type of the pixels; None where the type has no fixed range."""
    if image.mode.startswith("I;") and image.format == "TIFF":
        bits = int(image.tag_v2.get(258, (16,))[0])  # type: ignore[attr-defined]  # BitsPerSample: scanners write 12 too
        return 0.0, 2.0**bits - 1
    return _DEEP if image.mode.startswith("I;") or (image.mode == "I" and image.format in _SIXTEEN_BITS) else None


def _over_ground(image: Image.Image, rules: Rules) -> tuple[Image.Image, *tuple[str, ...]]:
    """Convert 8 bits or one, laid over the rules' colour; where every pixel is opaque, the conversion is Pillow's."""
    mode = MODES[rules.channels]
    if image.has_transparency_data:
        coloured = image.convert("LA") if image.mode == "La" else _with_upper_bits(image)
        rgba = coloured.convert("RGBA")
        if rgba.getchannel("A").getextrema()[0] < 255:  # type: ignore[operator]
            ground = Image.new("RGBA", rgba.size, rules.transparent)
            return Image.alpha_composite(ground, rgba).convert(mode), f"over {rules.transparent}"
        image = coloured
        if "transparency" in image.info:  # no pixel is transparent, and Pillow would warn about it
            image = image.copy()
            del image.info["transparency"]
    if image.mode in ("LAB", "HSV"):  # Pillow converts these to RGB only
        image = image.convert("RGB")
    return (image.convert(mode),)


def _with_upper_bits(image: Image.Image) -> Image.Image:
    """Cut the transparent colour to 8 bits: of 16-bit colour, Pillow keeps the upper 8 bits of pixels but all 16 of that."""
    transparent = image.info.get("transparency")
    if not isinstance(transparent, tuple) or max(transparent) < 256:
        return image
    image = image.copy()
    image.info["transparency"] = tuple(value >> 8 for value in transparent)
    return image
