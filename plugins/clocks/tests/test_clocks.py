"""The data are what they are registered as, with every class in every split."""

import torch
from clocks.hours import INFO, clocks

from resbench.data.dataset import describe


def test_as_registered_with_every_class_in_every_split() -> None:
    data = clocks()
    assert describe(data) == INFO
    counts = {split: torch.bincount(data.labels[index]).tolist() for split, index in data.splits.items()}
    assert counts == {"train": [72] * 12, "val": [8] * 12, "test": [20] * 12}
