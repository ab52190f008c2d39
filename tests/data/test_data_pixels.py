"""Images as people have them: deep, turned, transparent, in CMYK; each by a stated rule, none clipped, and the rule is told."""

from __future__ import annotations

import struct
import warnings
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from images_sample import CORNERS, block, saved, turned, twelve_bits
from PIL import Image

from resbench.data.images.formats import FORMATS, is_image
from resbench.data.images.pixels import Rules, read_image, verify
from resbench.errors import Reason

GREY = Rules(channels=1)
RAMP = np.arange(0, 65536, 16, np.uint16).reshape(64, 64)


def grey(source: BytesIO, rules: Rules = GREY) -> list[int]:
    """The pixels, and that they are the red ones of the same image read in colour."""
    found = np.asarray(read_image(source, rules).image)
    source.seek(0)
    colour = np.asarray(read_image(source, Rules(3, rules.levels, rules.transparent)).image)
    assert np.array_equal(colour[:, :, 0], found)
    return [int(value) for value in found.flatten()]


@pytest.mark.parametrize("form", ["PNG", "TIFF", "PPM", "JPEG2000"])
def test_sixteen_bits_are_scaled_by_their_type_whatever_the_format(form: str) -> None:
    source = saved(Image.fromarray(RAMP), form)
    assert read_image(source, GREY).changed == ("levels 0 65535",)
    source.seek(0)
    assert grey(source) == (RAMP >> 8).flatten().tolist(), "the upper 8 bits, as Pillow takes them of 16-bit colour"


def test_a_tiff_of_twelve_bits_is_white_at_4095() -> None:
    assert read_image(twelve_bits(), GREY).changed == ("levels 0 4095",)
    assert grey(twelve_bits()) == [0, 85, 170, 255]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (RAMP.astype(np.int32), "32-bit integers, here from 0 to 65520"),
        (RAMP.astype(np.float32) / 65535, "floats, here from 0 to 0.999771"),
    ],
)
def test_what_no_type_scales_is_refused_with_what_to_say(
    values: np.ndarray[tuple[int, ...], np.dtype[np.float32]], kind: str
) -> None:
    source = saved(Image.fromarray(values), "TIFF")
    with pytest.raises(Reason, match=rf"^its pixels are {kind}: give black and white as `levels: \[low, high\]`$"):
        read_image(source, GREY)
    levels = (0.0, 65535.0) if "integers" in kind else (0.0, 1.0)
    source.seek(0)
    assert grey(source, Rules(1, levels)) == (RAMP >> 8).flatten().tolist()
    source.seek(0)
    with pytest.raises(
        Reason,
        match=r"^expected values from 0 \(black\) to 0\.5 \(white\), got 0 to .*; `levels: \[low, high\]` sets others$",
    ):
        read_image(source, Rules(1, (0.0, 0.5)))


def test_a_float_that_is_no_number_is_refused() -> None:
    values = np.zeros((4, 4), np.float32)
    values[1, 2] = np.nan
    with pytest.raises(Reason, match=r"^1 of its values are not finite$"):
        read_image(saved(Image.fromarray(values), "TIFF"), Rules(1, (0.0, 1.0)))


@pytest.mark.parametrize("form", ["PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize(
    ("orientation", "upright"),
    [
        (1, [[250, 10], [60, 200]]), (2, [[10, 250], [200, 60]]), (3, [[200, 60], [10, 250]]), (4, [[60, 200], [250, 10]]),
        (5, [[250, 60], [10, 200]]), (6, [[60, 250], [200, 10]]), (7, [[200, 10], [60, 250]]), (8, [[10, 200], [250, 60]]),
    ],
)  # fmt: skip
def test_what_the_camera_says_of_its_orientation_is_applied_once(
    orientation: int, upright: list[list[int]], form: str
) -> None:
    source = turned(orientation, form) if form != "WEBP" else _lossless(orientation)
    read = read_image(source, GREY)
    assert np.asarray(read.image)[4::8, 4::8].tolist() == upright
    assert read.changed == (("upright",) if orientation > 1 and form != "TIFF" else ()), "TIFF is Pillow's own to turn"


def _lossless(orientation: int) -> BytesIO:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(block(CORNERS), "WEBP", exif=exif, lossless=True)


def test_damaged_tags_turn_nothing_and_are_no_fault() -> None:
    source = saved(block(CORNERS), "PNG", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01\x03\0\x09")
    read = read_image(source, GREY)
    assert (read.changed, np.asarray(read.image)[4::8, 4::8].tolist()) == ((), CORNERS.tolist())


def with_palette(**options: object) -> BytesIO:
    image = Image.new("P", (2, 1))
    image.putpalette([200, 0, 0, 0, 100, 0])
    image.putpixel((1, 0), 1)
    return saved(image, "PNG", **options)


def deep_colour() -> BytesIO:
    """A PNG of 16-bit colour, 2x1, in which one colour is transparent."""
    clear, other = struct.pack(">HHH", 500, 60_000, 700), struct.pack(">HHH", *[256 * 40] * 3)
    header = struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0)
    return png((b"IHDR", header), (b"tRNS", clear), (b"IDAT", zlib.compress(b"\0" + clear + other)))


def png(*parts: tuple[bytes, bytes]) -> BytesIO:
    chunks = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in (*parts, (b"IEND", b""))
    ]
    return BytesIO(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))


def deep(value: int) -> BytesIO:
    return saved(Image.fromarray(np.array([[value, 40000]], np.uint16)), "PNG", transparency=value)


@pytest.mark.parametrize(
    ("source", "white", "black"),
    [
        (saved(Image.new("RGBA", (2, 1), (250, 0, 250, 0)), "PNG"), [255, 255], [0, 0]),
        (saved(Image.new("RGBA", (2, 1), (100, 100, 100, 51)), "PNG"), [224, 224], [20, 20]),
        (saved(Image.new("LA", (2, 1), (90, 0)), "PNG"), [255, 255], [0, 0]),
        (saved(Image.new("LA", (2, 1), (90, 0)), "TIFF"), [255, 255], [0, 0]),
        (saved(Image.new("RGB", (2, 1), (9, 9, 9)), "PNG", transparency=(9, 9, 9)), [255, 255], [0, 0]),
        (saved(Image.new("L", (2, 1), 9), "PNG", transparency=9), [255, 255], [0, 0]),
        (with_palette(transparency=0), [255, 59], [0, 59]),
        (with_palette(transparency=b"\0\xff"), [255, 59], [0, 59]),
        (deep(500), [255, 156], [0, 156]), (deep_colour(), [255, 40], [0, 40]),
    ],
)  # fmt: skip
def test_transparent_pixels_show_the_ground_and_not_what_is_hidden(
    source: BytesIO, white: list[int], black: list[int]
) -> None:
    for ground, pixels in (("white", white), ("black", black)):
        source.seek(0)
        read = read_image(source, Rules(1, None, ground))  # type: ignore[arg-type]
        assert np.asarray(read.image).flatten().tolist() == pixels
        assert read.changed[-1] == f"over {ground}"
    source.seek(0)


@pytest.mark.parametrize(
    "source",
    [
        saved(Image.new("RGBA", (2, 1), (1, 2, 3, 255)), "PNG"), saved(Image.new("LA", (2, 1), (90, 255)), "PNG"),
        with_palette(transparency=b"\xff\xff"), with_palette(transparency=2), with_palette(),
        saved(Image.new("1", (2, 1), 1), "PNG"), saved(Image.new("RGB", (2, 1), (7, 8, 9)), "BMP"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_what_needs_no_rule_is_read_as_pillow_converts_it(source: BytesIO, mode: str) -> None:
    source.seek(0)
    read = read_image(source, Rules(1 if mode == "L" else 3))
    source.seek(0)
    with Image.open(source) as image:
        image.info.pop("transparency", None)
        assert read.image.tobytes() == image.convert(mode).tobytes()
    assert read.changed == ()


@pytest.mark.parametrize("rules", [Rules(), GREY])
def test_colours_that_pillow_converts_by_way_of_rgb_are_read(rules: Rules) -> None:
    image = Image.new("LAB", (4, 4), (200, 128, 128))
    assert np.asarray(read_image(saved(image, "TIFF"), rules).image).min() > 100


def test_cmyk_is_converted_and_noted() -> None:
    read = read_image(saved(Image.new("CMYK", (4, 4), (0, 255, 255, 0)), "TIFF"), Rules())
    assert read.image.getpixel((0, 0)) == (255, 0, 0)
    assert (read.changed, read.noted) == ((), ("cmyk",))


def test_several_pictures_are_noted_and_a_wrong_checksum_is_a_fault() -> None:
    frames = [block(np.full((2, 2), value, np.uint8)) for value in (0, 200)]
    for form in ("GIF", "PNG", "WEBP", "TIFF"):
        assert verify(saved(frames[0], form, save_all=True, append_images=frames[1:]).getvalue()), form
        assert not verify(saved(frames[0], form).getvalue()), form
    content = bytearray(saved(frames[0], "PNG").getvalue())
    content[29] ^= 1  # of the header's checksum
    with pytest.raises(Reason):
        verify(bytes(content))


def test_what_unpacks_to_any_size_is_refused_without_being_unpacked() -> None:
    for side in (9500, 20_000):  # where Pillow warns, and where it refuses by itself
        header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
        with pytest.raises(
            Reason, match=r"^Image size \(\d+ pixels\) exceeds limit of \d+ pixels, could be decompression bomb"
        ):
            read_image(png((b"IHDR", header), (b"IDAT", zlib.compress(b""))), Rules())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as a program may that uses us
        header = struct.pack(">IIBBBBB", 9500, 9500, 8, 0, 0, 0, 0)
        with pytest.raises(Reason, match=r"^it has 9500 x 9500 pixels; at most 89,478,485 are allowed$"):
            read_image(png((b"IHDR", header), (b"IDAT", zlib.compress(b""))), Rules())


def test_other_programs_are_not_started_for_a_file_of_another_kind(tmp_path: Path) -> None:
    script = tmp_path / "x.png"
    script.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n%%EOF\n")
    with pytest.raises(Reason, match=r"^cannot identify image file$"):
        read_image(script, Rules())


def test_every_ending_belongs_to_a_format_of_pillow() -> None:
    Image.init()
    assert set(FORMATS) <= set(Image.OPEN), "this Pillow reads them all"
    known = {suffix: form for suffix, form in Image.registered_extensions().items() if form in FORMATS or form == "MPO"}
    assert {suffix for suffixes in FORMATS.values() for suffix in suffixes} <= set(known)
    assert [is_image(name) for name in ("a.AVIF", "a.jfif", "a.jp2", "a.eps", "a.pdf", "a.heic", "png")] == [
        True
    ] * 3 + [False] * 4


@pytest.mark.parametrize("form", ["AVIF", "JPEG", "JPEG2000", "PCX", "SGI", "TGA", "QOI", "ICO", "DDS", "WEBP"])
def test_formats_that_were_left_out_are_read(form: str) -> None:
    image = Image.new("RGB", (16, 16), (200, 30, 60))
    found = read_image(saved(image, form), Rules()).image.getpixel((8, 8))
    assert np.abs(np.subtract(found, (200, 30, 60))).max() <= 6, "some are lossy"  # type: ignore[arg-type]
