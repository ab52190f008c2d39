"""MNIST: 28x28, 10 classes; 55 000 train, 5000 val (500 of each class of the training part), 10 000 test."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from resbench.data.info import DatasetInfo
from resbench.data.public import absent, read_idx_part, read_public
from resbench.data.registry import dataset

if TYPE_CHECKING:
    from resbench.data.dataset import Dataset

CLASSES = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
FILES = "the folder MNIST/raw"
INFO = DatasetInfo(
    name="mnist",
    input_shape=(1, 28, 28),
    n_classes=10,
    n_train=55000,
    n_val=5000,
    n_test=10000,
    source="Y. LeCun, C. Cortes, C. Burges: The MNIST database of handwritten digits, 1998",
    licence="CC BY-SA 3.0",
    offline=False,
)


def _part(folder: Path, train: bool, download: bool) -> tuple[Any, Any]:
    places = (folder / "mnist",)
    return read_idx_part("MNIST", places, folder, train, download)


@dataset(INFO, lambda: absent(FILES, _part), settled=True)
def mnist() -> Dataset:
    return read_public(INFO, CLASSES, FILES, _part)
