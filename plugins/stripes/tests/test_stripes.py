"""The data are what they are registered as, the same everywhere, and tell their classes apart."""

import torch
from stripes.gratings import INFO, stripes

from resbench.data.dataset import describe, digest

DIGEST = "d1_169f87c115978bbd271ca04300ee543bbb9b9660fb35db72b36709bf34f6db50"


def test_as_registered_and_always_the_same() -> None:
    assert describe(stripes()) == INFO
    assert digest(stripes()) == DIGEST


def test_every_class_in_every_split() -> None:
    data = stripes()
    for index in data.splits.values():
        counts = torch.bincount(data.labels[index])
        assert len(counts) == INFO.n_classes
        assert counts.min() == counts.max()
