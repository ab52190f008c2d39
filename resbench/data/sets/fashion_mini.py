"""files/fashion_mini.npz -> 5000 pictures of clothes, uint8 1x14x14, 10 classes; 3000 train, 1000 val, 1000 test.

A part of Fashion-MNIST (Xiao, Rasul & Vollgraf 2017, arXiv:1708.07747), every class equally often in every split, 28x28
averaged over blocks of 2x2. train and val are from its train file, test is from its t10k file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from resbench.data.info import DatasetInfo
from resbench.data.registry import dataset
from resbench.data.shipped import read_shipped

if TYPE_CHECKING:
    from resbench.data.dataset import Dataset

SHA256 = "5c11e085896e620e4e27f3aa131d18b04334a523f4262bf7d15f2db6b2d3a27d"
CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
INFO = DatasetInfo(
    name="fashion_mini",
    input_shape=(1, 14, 14),
    n_classes=10,
    n_train=3000,
    n_val=1000,
    n_test=1000,
    source="H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST, Zalando SE, arXiv:1708.07747",
    licence="MIT",
)


@dataset(INFO, settled=True)
def fashion_mini() -> Dataset:
    return read_shipped(INFO, CLASSES, SHA256)
