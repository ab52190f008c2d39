"""Fashion-MNIST: 28x28, 10 classes; 55 000 train, 5000 val (500 of each class of the training part), 10 000 test.

Debian's package dataset-fashion-mnist has the files too."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from resbench.data.info import DatasetInfo
from resbench.data.public import read_public
from resbench.data.registry import dataset

if TYPE_CHECKING:
    from resbench.data.dataset import Dataset

CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
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
    """Torchvision's folder, or one with the four IDX files themselves."""
    from resbench.data.make.idx import read_idx
    from resbench.errors import BadInput

    if download:
        from torchvision.datasets import FashionMNIST

        FashionMNIST(str(folder), train=train, download=True)
    which = "train" if train else "t10k"
    for place in (folder / "FashionMNIST" / "raw", folder / "fashion-mnist", Path("/usr/share/datasets/fashion-mnist")):
        try:
            images = read_idx(place, f"{which}-images-idx3-ubyte")
            return images[:, None].copy(), read_idx(place, f"{which}-labels-idx1-ubyte")
        except BadInput:
            continue
    raise FileNotFoundError(folder)


@dataset(INFO)
def fashion_mnist() -> Dataset:
    return read_public(INFO, CLASSES, "the folder FashionMNIST/raw", _part)
