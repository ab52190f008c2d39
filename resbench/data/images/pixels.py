"""An image as people have them -> upright 8-bit pixels of one mode, L or RGB, by stated rules; and which rules it took.

Grey of more than 8 bits is scaled (data/images/levels.py), never clipped; transparent pixels are laid over white or black; what
the camera wrote of its orientation is applied; CMYK, palettes, bilevel and 16-bit colour are Pillow's conversions; of several
pictures in a file the first is read.
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
MAX_PIXELS = 89_478_485  # of one image: a small file may unpack to any size; the number at which Pillow warns
ORIENTATION = 0x0112  # the tag of EXIF
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_90,
}  # fmt: skip
_DEEP = (0.0, 65535.0)
_SEVERAL = ("GIF", "PNG", "WEBP", "TIFF", "AVIF")  # formats in which the first picture may be a part of what there is
_SIXTEEN_BITS = ("PNG", "PPM", "JPEG2000")  # formats whose 32-bit integers are 16-bit values in Pillow's memory
warnings.filterwarnings(
    "error", category=Image.DecompressionBombWarning
)  # threads cannot each have filters of their own


@dataclass(frozen=True, slots=True)
class Rules:
    """How the images of a data set are read.

    `levels`: black and white of grey images of more than 8 bits; None: those of 16 bits by their type, others are refused.
    `transparent`: what is behind transparent pixels.
    """

    channels: int = 3
    levels: Levels | None = None
    transparent: Literal["white", "black"] = "white"


@dataclass(frozen=True, slots=True)
class Read:
    """`changed`: the rules by which the pixels are others than Pillow's plain conversion gives; they are part of a data set's
    digest, so their words stay. `noted`: what else a person should know of.
    """

    image: Image.Image
    changed: tuple[str, ...] = ()
    noted: tuple[str, ...] = ()


@cache
def _formats() -> tuple[str, ...]:
    """Return those that this Pillow knows; older ones have no AVIF."""
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def read_image(source: Path | BytesIO, rules: Rules) -> Read:
    """Decode the first picture of a file. Raises Reason with the reason where that cannot be."""
    with _faults(), Image.open(source, formats=_formats()) as file:
        return convert(file, rules)


def verify(content: bytes) -> bool:
    """Hold the checksums in a file against its bytes; returns whether it has several pictures. Raises Reason."""
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
    except Exception as error:  # decoders raise whatever a damaged file leads them to
        raise Reason(str(error) or type(error).__name__) from None


def convert(image: Image.Image, rules: Rules) -> Read:
    """Return the same of an image that is open. Raises Reason, and whatever its decoder raises."""
    if image.width * image.height > MAX_PIXELS:
        raise Reason(f"it has {image.width} x {image.height} pixels; more than {MAX_PIXELS:,} are refused")
    image.load()
    changed: list[str] = []
    noted: list[str] = []
    method = UPRIGHT.get(_orientation(image))  # TIFF is turned by Pillow as it loads, and then has none
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
    except Exception:  # tags are damaged more often than pixels, and then say nothing
        return 1


def _deep(image: Image.Image, rules: Rules) -> tuple[Image.Image, *tuple[str, ...]]:
    """Grey of 16 or 32 bits, integers or floats."""
    values, levels = np.asarray(image), rules.levels or _levels(image)
    if levels is None:
        kind = "floats" if image.mode == "F" else "32-bit integers"
        span = f"in this one from {values.min():g} to {values.max():g}"
        raise Reason(f"its pixels are {kind}, {span}: say what is black and white, `levels: [low, high]`")
    pixels, changed = to_uint8(values, levels), [f"levels {levels[0]:.17g} {levels[1]:.17g}"]
    clear = image.info.get("transparency")
    if isinstance(clear, int) and (values == clear).any():
        pixels[values == clear] = 255 if rules.transparent == "white" else 0
        changed.append(f"over {rules.transparent}")
    return Image.fromarray(pixels).convert(MODES[rules.channels]), *changed


def _levels(image: Image.Image) -> Levels | None:
    """By the type of its pixels."""
    if image.mode.startswith("I;") and image.format == "TIFF":
        bits = int(image.tag_v2.get(258, (16,))[0])  # type: ignore[attr-defined]  # BitsPerSample: scanners write 12 too
        return 0.0, 2.0**bits - 1
    return _DEEP if image.mode.startswith("I;") or (image.mode == "I" and image.format in _SIXTEEN_BITS) else None


def _over_ground(image: Image.Image, rules: Rules) -> tuple[Image.Image, *tuple[str, ...]]:
    """Of 8 bits or one; where every pixel is opaque, the plain conversion."""
    mode = MODES[rules.channels]
    if image.has_transparency_data:
        coloured = image.convert("LA") if image.mode == "La" else _with_upper_bits(image)
        whole = coloured.convert("RGBA")
        if whole.getchannel("A").getextrema()[0] < 255:  # type: ignore[operator]
            ground = Image.new("RGBA", whole.size, rules.transparent)
            return Image.alpha_composite(ground, whole).convert(mode), f"over {rules.transparent}"
        image = coloured
        if "transparency" in image.info:  # it makes nothing transparent, and Pillow would warn of it
            image = image.copy()
            del image.info["transparency"]
    if image.mode in ("LAB", "HSV"):  # which Pillow converts to RGB alone
        image = image.convert("RGB")
    return (image.convert(mode),)


def _with_upper_bits(image: Image.Image) -> Image.Image:
    """Of 16-bit colour Pillow keeps the upper 8 bits, but all 16 of the colour that is transparent."""
    clear = image.info.get("transparency")
    if not isinstance(clear, tuple) or max(clear) < 256:
        return image
    image = image.copy()
    image.info["transparency"] = tuple(value >> 8 for value in clear)
    return image
