"""CIFAR-10: 32x32 RGB, 10 classes; 45 000 train, 5000 val (500 of each class of the training part), 10 000 test."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from resbench.data.info import DatasetInfo
from resbench.data.public import absent, read_public
from resbench.data.registry import dataset

if TYPE_CHECKING:
    from resbench.data.dataset import Dataset

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
FILES = "the folder cifar-10-batches-py"
INFO = DatasetInfo(
    name="cifar10",
    input_shape=(3, 32, 32),
    n_classes=10,
    n_train=45000,
    n_val=5000,
    n_test=10000,
    source="A. Krizhevsky: Learning Multiple Layers of Features from Tiny Images, 2009",
    licence="not stated",
    offline=False,
)


def _part(folder: Path, train: bool, download: bool) -> tuple[Any, Any]:
    from torchvision.datasets import CIFAR10

    found = CIFAR10(str(folder), train=train, download=download)
    return found.data.transpose(0, 3, 1, 2), found.targets


@dataset(INFO, lambda: absent(FILES, _part), settled=True)
def cifar10() -> Dataset:
    return read_public(INFO, CLASSES, FILES, _part)
