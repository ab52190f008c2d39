"""A count, a seed and a difficulty -> 32x32 RGB images of ten shapes with their labels, the same on every machine.

Each image has one large shape of its class, of random colour, place, size and rotation, on a background of another colour, with
small dots and strokes of other colours scattered over it, and noise. Colours are independent of the class.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from resbench.random_streams import stream

Array = NDArray[np.float64]
SIZE = 32
AT_ONCE = 2000  # images that are drawn at a time, to limit memory


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


def draw(
    count: int, seed: int, noise: float, rotation: float, clutter: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return images B 3 32 32 and labels B; image i is of class i modulo 10, and the same whatever the count.

    `noise`: standard deviation, on the scale 0 to 1; `rotation`: degrees at most; `clutter`: strokes in each image.
    """
    labels = np.arange(count, dtype=np.int64) % len(CLASSES)
    shapes = _uniform(count, 10, seed, "shapes")
    strokes = [_uniform(count, 7, seed, f"shapes stroke {number}") for number in range(clutter)]
    noises = _generator(seed, "shapes noise")
    found = np.empty((count, 3, SIZE, SIZE), np.uint8)
    for start in range(0, count, AT_ONCE):
        part = slice(start, start + AT_ONCE)
        images = _shape(shapes[part], labels[part], rotation)
        for rows in strokes:
            _draw_stroke(images, rows[part])
        if noise:
            images += noise * noises.standard_normal((len(images), 3, SIZE, SIZE), np.float32)
        found[part] = np.round(255 * np.clip(images, 0, 1))
    return found, labels


def _shape(rows: Array, labels: NDArray[np.int64], rotation: float) -> Array:
    """Draw the shapes, B 3 32 32; `rows`: ten numbers from 0 to 1 for each image."""
    columns = rows[:, :, None, None]
    ground, colour = columns[:, 0:3], columns[:, 3:6]
    near = np.abs(ground - colour).sum(1, keepdims=True) < 0.6
    colour = np.where(near, (colour + 0.5) % 1, colour)  # now it is clearly different
    size, rotated, left, top = columns[:, 6:].transpose(1, 0, 2, 3)
    size = 7 + 4 * size
    angle = np.deg2rad(rotation * (2 * rotated - 1))
    x, y = _pixels(size + (SIZE - 2 * size) * left, size + (SIZE - 2 * size) * top, angle)
    inside = np.empty((len(rows), SIZE, SIZE))
    for number, name in enumerate(CLASSES):  # smooth over a pixel
        of = labels == number
        inside[of] = np.clip(0.5 - SHAPES[name](x[of] / size[of], y[of] / size[of]) * size[of], 0, 1)
    return ground + inside[:, None] * (colour - ground)


def _draw_stroke(images: Array, rows: Array) -> None:
    """Draw a dot or stroke onto each image; `rows`: seven numbers from 0 to 1 for each image."""
    columns = rows[:, :, None, None]
    left, top, rotated, length = columns[:, :4].transpose(1, 0, 2, 3)
    x, y = _pixels(SIZE * left, SIZE * top, np.pi * rotated)
    stroke = np.clip(0.5 - np.maximum(np.abs(x) - 0.5 - 3.5 * length, np.abs(y) - 0.8), 0, 1)[:, None]
    images += stroke * (columns[:, 4:7] - images)


def _pixels(left: Array, top: Array, angle: Array) -> tuple[Array, Array]:
    """Return x and y of every pixel's centre relative to a point, rotated by an angle; B 32 32."""
    y, x = np.mgrid[0:SIZE, 0:SIZE] + 0.5
    x, y = x - left, y - top
    return np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x


def _uniform(count: int, columns: int, seed: int, purpose: str) -> Array:
    return _generator(seed, purpose).uniform(0, 1, (count, columns))


def _generator(seed: int, purpose: str) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(stream(seed, 0, purpose)))
