"""Nothing -> oriented gratings with noise, uint8 1x12x12, 8 classes of 250 images; 1200 train, 400 val, 400 test.

The class is the direction across the stripes; period and phase vary. Whole numbers and a hash make every pixel, so the images are
the same on every machine.
"""

from __future__ import annotations

from hashlib import shake_256
from typing import TYPE_CHECKING

from resbench.plugin import DatasetInfo, dataset

if TYPE_CHECKING:
    from resbench.data.dataset import Dataset

DIRECTIONS = {
    "0": (4, 0), "27": (4, 2), "45": (3, 3), "63": (2, 4), "90": (0, 4), "117": (-2, 4), "135": (-3, 3), "153": (-4, 2),
}  # fmt: skip
SIZE, EACH = 12, 250
INFO = DatasetInfo(
    name="stripes",
    input_shape=(1, SIZE, SIZE),
    n_classes=len(DIRECTIONS),
    n_train=1200,
    n_val=400,
    n_test=400,
    source="drawn by the resbench plugin `stripes`",
    licence="MIT",
)


@dataset(INFO)
def stripes() -> Dataset:
    import torch

    from resbench.data.dataset import Dataset

    pixels = b"".join(image(number) for number in range(INFO.n_classes * EACH))
    order = list(range(INFO.n_classes * EACH))
    return Dataset(
        name=INFO.name,
        images=torch.frombuffer(bytearray(pixels), dtype=torch.uint8).reshape(-1, 1, SIZE, SIZE),
        labels=torch.tensor(order) % INFO.n_classes,
        splits={
            "train": torch.tensor(order[:1200]), "val": torch.tensor(order[1200:1600]), "test": torch.tensor(order[1600:]),
        },
        classes=tuple(f"{degrees} degrees" for degrees in DIRECTIONS),
        source=INFO.source,
        licence=INFO.licence,
    )  # fmt: skip


def image(number: int) -> bytes:
    """The pixels of one image, row by row; its class is its number modulo the classes."""
    dx, dy = list(DIRECTIONS.values())[number % len(DIRECTIONS)]
    noise = shake_256(f"stripes {number}".encode()).digest(SIZE * SIZE + 2)
    period, phase = 14 + noise[-1] % 8, noise[-2]
    bright = [(dx * x + dy * y + phase) % period * 2 < period for y in range(SIZE) for x in range(SIZE)]
    return bytes((112 if on else 16) + value // 2 for on, value in zip(bright, noise, strict=False))
