"""Fashion-MNIST: 28x28, 10 classes; 55 000 train, 5000 val (500 of each class of the training part), 10 000 test.

Debian's package dataset-fashion-mnist has the files too."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from resbench.data.info import DatasetInfo
from resbench.data.public import absent, read_idx_part, read_public
from resbench.data.registry import dataset

if TYPE_CHECKING:
    from resbench.data.dataset import Dataset

CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
FILES = "the folder FashionMNIST/raw"
INFO = DatasetInfo(
    name="fashion_mnist",
    input_shape=(1, 28, 28),
    n_classes=10,
    n_train=55000,
    n_val=5000,
    n_test=10000,
    source="H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST, 2017, arXiv:1708.07747",
    licence="MIT",
    offline=False,
)


def _part(folder: Path, train: bool, download: bool) -> tuple[Any, Any]:
    places = (folder / "fashion-mnist", Path("/usr/share/datasets/fashion-mnist"))
    return read_idx_part("FashionMNIST", places, folder, train, download)


@dataset(INFO, lambda: absent(FILES, _part), settled=True)
def fashion_mnist() -> Dataset:
    return read_public(INFO, CLASSES, FILES, _part)
