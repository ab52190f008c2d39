"""What a network must know of a data set -> DatasetInfo, without a pixel and without torch."""

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
    """Whose images they are and where they come from, for a person to cite."""
    licence: str
    offline: bool = True
    """Whether it comes with resbench or its plugin, or is generated: nothing has to be fetched."""
