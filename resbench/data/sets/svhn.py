"""SVHN, cropped house numbers: 32x32 RGB, 10 classes; 68 257 train, 5000 val (500 of each class), 26 032 test."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from resbench.data.info import DatasetInfo
from resbench.data.public import absent, read_public
from resbench.data.registry import dataset

if TYPE_CHECKING:
    from resbench.data.dataset import Dataset

CLASSES = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
FILES = "train_32x32.mat or test_32x32.mat"
INFO = DatasetInfo(
    name="svhn",
    input_shape=(3, 32, 32),
    n_classes=10,
    n_train=68257,
    n_val=5000,
    n_test=26032,
    source="Y. Netzer et al.: Reading Digits in Natural Images with Unsupervised Feature Learning, 2011",
    licence="for non-commercial use",
    offline=False,
)


def _part(folder: Path, train: bool, download: bool) -> tuple[Any, Any]:
    from torchvision.datasets import SVHN

    found = SVHN(str(folder), split="train" if train else "test", download=download)
    return found.data, found.labels


@dataset(INFO, lambda: absent(FILES, _part), settled=True)
def svhn() -> Dataset:
    return read_public(INFO, CLASSES, FILES, _part)
