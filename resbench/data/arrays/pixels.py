"""The images of a numpy file -> uint8 BCHW: 8 bits as they are, other types scaled (data/images/levels.py), never clipped."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resbench.data.arrays.npz import Header, parts, shaped
from resbench.data.arrays.plan import ArrayFile
from resbench.data.images.levels import DARK, Levels, to_uint8
from resbench.errors import Reason
from resbench.escape import printable

_BY_TYPE: dict[str, Levels] = {"f": (0, 1), "b": (0, 1), "u1": (0, 255), "u2": (0, 65535)}
"""Black and white by numpy's letter of the kind, or by that and the bytes of a value."""


def read_pixels(file: ArrayFile, levels: Levels | None) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Return the pixels and notes about how they were read. Raises Reason with the array and the image at fault."""
    pixels = np.empty((len(file.labels), *file.shape), np.uint8)
    scaled: dict[Levels, list[str]] = {}
    start = 0
    for name, header in file.images.items():
        where = f"{file.path}: `{name}`"
        black_white = levels or _levels(header.dtype, where)
        if header.dtype != np.uint8 or black_white != _BY_TYPE["u1"]:
            scaled.setdefault(black_white, []).append(name)
        block = shaped(_read(file.path, header, black_white, where), header)
        block = block[:, None] if block.ndim == 3 else block
        end = start + len(block)
        pixels[start:end] = block.transpose(0, 3, 1, 2) if file.layout == "NHWC" else block
        start = end
    return pixels, tuple(_sentences(file, scaled, int(pixels.max())))


def _levels(dtype: np.dtype[Any], where: str) -> Levels:
    levels = _BY_TYPE.get(dtype.str[1:]) or _BY_TYPE.get(dtype.kind)
    if levels is None:
        raise Reason(
            f"{where}: the levels of black and white are unknown for {dtype}: give them as `levels: [low, high]`"
        )
    return levels


def _read(path: Path, header: Header, levels: Levels, where: str) -> NDArray[np.uint8]:
    """Read the values of one array as uint8, in the order of the file."""
    plain = header.dtype == np.uint8 and levels == _BY_TYPE["u1"]
    pixels = np.empty(header.count, np.uint8)
    for done, part in parts(path, header):
        try:
            pixels[done : done + len(part)] = part if plain else to_uint8(part, levels)
        except Reason as fact:
            wrong = done + int(
                np.argmin((part >= levels[0]) & (part <= levels[1]))
            )  # for NaN both comparisons are false
            image = wrong % header.shape[0] if header.fortran else wrong // prod(header.shape[1:])
            raise Reason(f"{where}: image {image}: {fact}") from None
    return pixels


def _sentences(file: ArrayFile, scaled: dict[Levels, list[str]], brightest: int) -> Iterator[str]:
    for (black, white), names in scaled.items():
        kinds = ", ".join(f"`{name}` ({file.images[name].dtype})" for name in names)
        yield f"{kinds} scaled to 256 steps: {black:.17g} is black, {white:.17g} is white"
    if brightest < DARK:
        yield f"no pixel is brighter than {brightest} of 255; `levels` sets white"
    if file.unknown:
        yield f"left out: arrays of other names: {', '.join(map(printable, file.unknown))}"
