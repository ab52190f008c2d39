"""How many, a seed, and knobs -> 32x32 RGB images of ten shapes with their labels.  Deterministic, on every machine alike.

Each image has one large shape of its class, of random colour, place, size and rotation, on a ground of another colour, with small
dots and strokes of other colours strewn over it, and noise. Colours say nothing of the class.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from resbench.seeds import stream

Array = NDArray[np.float64]
SIZE = 32


@dataclass(frozen=True, slots=True)
class Knobs:
    """`noise`: standard deviation of what is added to each value, on the scale 0 to 1; `rotation`: at most so many degrees,
    either way; `clutter`: dots and strokes in each image.
    """

    noise: float = 0.15
    rotation: float = 25.0
    clutter: int = 6


def _box(x: Array, y: Array, width: float, height: float) -> Array:
    return np.maximum(np.abs(x) - width, np.abs(y) - height)


def _ring(x: Array, y: Array) -> Array:
    return np.abs(np.hypot(x, y) - 0.72) - 0.2


# (x, y) in units of the shape's size -> below 0 inside
SHAPES: dict[str, Callable[[Array, Array], Array]] = {
    "disc": lambda x, y: np.hypot(x, y) - 0.85,
    "ring": _ring,
    "square": lambda x, y: _box(x, y, 0.75, 0.75),
    "frame": lambda x, y: np.abs(_box(x, y, 0.65, 0.65)) - 0.17,
    "triangle": lambda x, y: np.maximum(0.87 * np.abs(x) - 0.5 * y - 0.45, y - 0.6),
    "diamond": lambda x, y: np.abs(x) + np.abs(y) - 1.0,
    "plus": lambda x, y: np.minimum(_box(x, y, 0.9, 0.26), _box(x, y, 0.26, 0.9)),
    "bars": lambda x, y: np.minimum(_box(x, y - 0.55, 0.85, 0.25), _box(x, y + 0.55, 0.85, 0.25)),
    "half": lambda x, y: np.maximum(np.hypot(x, y + 0.3) - 0.95, -y - 0.3),
    "pacman": lambda x, y: np.maximum(np.hypot(x, y) - 0.9, np.minimum(x, 1.1 * x - np.abs(y)) - 0.0),
}
CLASSES = tuple(SHAPES)


def draw(count: int, seed: int, knobs: Knobs | None = None) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images B 3 32 32 and labels B; image i is of class i modulo 10, and the same whatever the count."""
    knobs = knobs or Knobs()
    labels = np.arange(count, dtype=np.int64) % len(CLASSES)
    rows = _uniform(count, 10, seed, "shapes").T[:, :, None, None]
    ground, colour = rows[0:3], rows[3:6]
    near = np.abs(ground - colour).sum(0) < 0.6
    colour = np.where(near, (colour + 0.5) % 1, colour)  # then it is far
    size = 7 + 4 * rows[6]
    angle = np.deg2rad(knobs.rotation * (2 * rows[7] - 1))
    x, y = _pixels(size + (SIZE - 2 * size) * rows[8], size + (SIZE - 2 * size) * rows[9], angle)
    inside = np.empty((count, SIZE, SIZE))
    for number, name in enumerate(CLASSES):  # smooth over a pixel
        of = labels == number
        inside[of] = np.clip(0.5 - SHAPES[name](x[of] / size[of], y[of] / size[of]) * size[of], 0, 1)
    images = ground + inside * (colour - ground)
    for number in range(knobs.clutter):
        rows = _uniform(count, 7, seed, f"shapes stroke {number}").T[:, :, None, None]
        x, y = _pixels(SIZE * rows[0], SIZE * rows[1], np.pi * rows[2])
        stroke = np.clip(0.5 - np.maximum(np.abs(x) - 0.5 - 3.5 * rows[3], np.abs(y) - 0.8), 0, 1)
        images += stroke * (rows[4:7] - images)
    if knobs.noise:
        added = _generator(seed, "shapes noise").standard_normal((count, 3, SIZE, SIZE), np.float32)
        images += knobs.noise * added.transpose(1, 0, 2, 3)
    return np.round(255 * np.clip(images, 0, 1)).astype(np.uint8).transpose(1, 0, 2, 3).copy(), labels


def _pixels(left: Array, top: Array, angle: Array) -> tuple[Array, Array]:
    """x and y of every pixel's middle, seen from a place and turned; B 32 32."""
    y, x = np.mgrid[0:SIZE, 0:SIZE] + 0.5
    x, y = x - left, y - top
    return np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x


def _uniform(count: int, columns: int, seed: int, purpose: str) -> Array:
    return _generator(seed, purpose).uniform(0, 1, (count, columns))


def _generator(seed: int, purpose: str) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(stream(seed, 0, purpose)))
