"""The facts of a data set that a network depends on: DatasetInfo, without pixels and without torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DatasetInfo:
    """The registered facts of a data set; `load` refuses data that are not as described here."""

    name: str
    input_shape: tuple[int, int, int]
    """(C, H, W) of one image."""
    n_classes: int
    n_train: int
    n_val: int
    n_test: int
    source: str
    """Authors and origin of the images, for citation."""
    licence: str
    offline: bool = True
    """Whether it comes with resbench or its plugin, or is generated: no download is needed."""
