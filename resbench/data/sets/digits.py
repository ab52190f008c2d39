"""files/digits.npz -> 1797 handwritten digits, uint8 1x8x8, 10 classes; 1117 train, 340 val, 340 test.

scikit-learn's copy of the test part of the UCI optical digits (Alpaydin & Kaynak 1998): bitmaps of 32x32, the pixels
counted in blocks of 4x4 (0 to 16), here scaled to 0 to 255, halves rounded up. val and test hold 34 images of each
class. In the file's own order images of one writer stand together; the split is drawn at random within each class, so
the same 13 writers are in all three parts: a score here is about new images of known writers, not about new writers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from resbench.data.info import DatasetInfo
from resbench.data.registry import dataset
from resbench.data.shipped import read_shipped

if TYPE_CHECKING:
    from resbench.data.dataset import Dataset

SHA256 = "bc65e46ca294f9a0b705af8617f527b811c2abff48379d5b4f0230cb8afaf6c1"
CLASSES = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
INFO = DatasetInfo(
    name="digits",
    input_shape=(1, 8, 8),
    n_classes=10,
    n_train=1117,
    n_val=340,
    n_test=340,
    source="E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits, UCI repository, doi:10.24432/C50P49",
    licence="CC BY 4.0",
)


@dataset(INFO, settled=True)
def digits() -> Dataset:
    return read_shipped(INFO, CLASSES, SHA256)
