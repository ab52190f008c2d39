"""Small images of every kind that people have, and folders of them."""

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

CORNERS = np.array([[250, 10], [60, 200]], np.uint8)  # no two alike: which is where tells how an image was turned


def block(values: NDArray[np.uint8], side: int = 8) -> Image.Image:
    """Each value a square of pixels."""
    return Image.fromarray(np.kron(values, np.ones((side, side), np.uint8)))


def saved(image: Image.Image, form: str, **options: object) -> BytesIO:
    file = BytesIO()
    image.save(file, form, **options)
    file.seek(0)
    return file


def turned(orientation: int, form: str) -> BytesIO:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(block(CORNERS), form, exif=exif)


def twelve_bits() -> BytesIO:
    """A grey TIFF of 12 bits, 2x2, as scanners and microscopes write them: black, a third, two thirds, white."""
    rows = bytes([0x00, 0x05, 0x55, 0xAA, 0xAF, 0xFF])  # 0, 0x555 and 0xAAA, 0xFFF
    tags = [
        (256, 3, 2),
        (257, 3, 2),
        (258, 3, 12),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 8),
        (277, 3, 1),
        (278, 3, 2),
        (279, 4, 6),
    ]
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    return BytesIO(
        b"II*\0" + struct.pack("<I", 14) + rows + struct.pack("<H", len(tags)) + entries + struct.pack("<I", 0)
    )


def folder(root: Path, classes: tuple[str, ...] = ("cat", "dog"), each: int = 12) -> Path:
    """8-bit PNGs of noise, one class darker than the other."""
    random = np.random.default_rng(0)
    for number, name in enumerate(classes):
        (root / name).mkdir(parents=True)
        for i in range(each):
            pixels = random.integers(0, 100, (9, 9, 3)) + 150 * (number % 2)
            Image.fromarray(pixels.astype(np.uint8)).save(root / name / f"{i:02}.png")
    return root
