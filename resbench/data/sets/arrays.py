"""A numpy file (.npz) -> a data set: images as uint8, labels, and the splits in it or drawn from it (data/arrays/plan.py)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from resbench.data.images.levels import LevelsSetting
from resbench.data.info import DatasetInfo
from resbench.data.paths import find
from resbench.data.registry import configured
from resbench.language.yaml.models import Model

if TYPE_CHECKING:
    from resbench.data.arrays.plan import ArrayFile
    from resbench.data.dataset import Dataset

NAME = "arrays"


class Arrays(Model):
    path: str = Field(
        min_length=1, description="The file (.npz); if it does not exist, it is searched in the data folders."
    )
    layout: Literal["NHWC", "NCHW"] | None = Field(
        None, description="Channels last (NHWC) or second (NCHW); needed only if the shape is ambiguous."
    )
    levels: LevelsSetting | None = Field(
        None,
        description="Black and white; by default 0 and 1 for floats, 0 and 255 or 65535 for integers of 8 or 16 bits.",
    )
    allow_copies: bool = Field(False, description="Whether the same image may be in two splits.")


def about(settings: Arrays) -> DatasetInfo:
    return _info(settings, _file(settings))


def _file(settings: Arrays) -> ArrayFile:
    from resbench.data.arrays.plan import read_plan

    return read_plan(find(settings.path, Path.is_file, "file"), settings.layout)


def _info(settings: Arrays, file: ArrayFile) -> DatasetInfo:
    train, val, test = (len(file.splits[split]) for split in ("train", "val", "test"))
    return DatasetInfo(
        name=NAME,
        input_shape=file.shape,
        n_classes=len(file.classes),
        n_train=train,
        n_val=val,
        n_test=test,
        source=f"arrays in {settings.path}",
        licence="not stated",
    )


@configured(NAME, Arrays, about)
def arrays(settings: Arrays) -> Dataset:
    import torch

    from resbench.data.arrays.pixels import read_pixels
    from resbench.data.dataset import Dataset

    file = _file(settings)
    known = _info(settings, file)
    pixels, notes = read_pixels(file, settings.levels)
    return Dataset(
        name=NAME,
        images=torch.from_numpy(pixels),
        labels=torch.from_numpy(file.labels),
        splits={split: torch.from_numpy(index) for split, index in file.splits.items()},
        classes=file.classes,
        source=known.source,
        licence=known.licence,
        notes=notes,
        copies="reported" if settings.allow_copies else "refused",
    )
