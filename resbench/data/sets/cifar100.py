"""CIFAR-100: 32x32 RGB, 100 classes; 45 000 train, 5000 val (50 of each class of the training part), 10 000 test."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from resbench.data.info import DatasetInfo
from resbench.data.public import absent, read_public
from resbench.data.registry import dataset

if TYPE_CHECKING:
    from resbench.data.dataset import Dataset

CLASSES = tuple(f"class {number}" for number in range(100))
FILES = "the folder cifar-100-python"
INFO = DatasetInfo(
    name="cifar100",
    input_shape=(3, 32, 32),
    n_classes=100,
    n_train=45000,
    n_val=5000,
    n_test=10000,
    source="A. Krizhevsky: Learning Multiple Layers of Features from Tiny Images, 2009",
    licence="not stated",
    offline=False,
)


def _part(folder: Path, train: bool, download: bool) -> tuple[Any, Any]:
    from torchvision.datasets import CIFAR100

    found = CIFAR100(str(folder), train=train, download=download)
    return found.data.transpose(0, 3, 1, 2), found.targets


@dataset(INFO, lambda: absent(FILES, _part), settled=True)
def cifar100() -> Dataset:
    return read_public(INFO, CLASSES, FILES, _part)
