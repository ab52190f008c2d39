"""Images and labels (uint8 BCHW, int64 B) with train, val and test indices -> a consistent data set and its digest.

Code that selects anything sees train and val only. The test images come from one function, `sealed_test` (data/split.py), so
that a search for that word finds every place that uses them. data/images/inspection.py decodes them too, to check that they
can be read, and keeps only the darkest and the brightest of their pixel values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from math import sqrt
from typing import Literal

import torch
from torch import Tensor

from resbench.data.image_files import ImageFiles
from resbench.data.images.inspection import OnProgress, inspect, silent
from resbench.data.info import DatasetInfo
from resbench.errors import BadInput

SPLITS = ("train", "val", "test")
SAMPLE = 5000  # train images of which mean and standard deviation are computed, where images are files
AT_ONCE = 200


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Images, labels and splits, checked: BadInput lists every fault. Two data sets are equal if their digests are."""

    name: str
    images: Tensor | ImageFiles
    """uint8, BCHW: pixels in memory, on the CPU, or files that are decoded on demand."""
    labels: Tensor
    """int64, B, from 0 to n_classes - 1."""
    splits: Mapping[str, Tensor]
    """train, val and test: int64 positions in `images`, none in two splits or twice in one."""
    classes: tuple[str, ...]
    source: str
    licence: str
    notes: tuple[str, ...] = ()
    """Notes of the loader about how the data were read, in sentences."""
    copies: Literal["unchecked", "reported", "refused"] = "unchecked"
    """How an image that is in two splits is treated (data/duplicates.py)."""

    def __post_init__(self) -> None:
        faults = [*_tensor_faults(self)] or [*_label_faults(self), *_split_faults(self)]
        if faults:
            raise BadInput(f"data set `{self.name}`: {'; '.join(faults)}")
        object.__setattr__(self, "splits", dict(self.splits))

    @property
    def input_shape(self) -> tuple[int, int, int]:
        _, channels, height, width = self.images.shape
        return channels, height, width

    @property
    def n_classes(self) -> int:
        return len(self.classes)


def describe(dataset: Dataset) -> DatasetInfo:
    """Return the DatasetInfo of what was loaded, to compare it with the registered one."""
    sizes = {split: len(dataset.splits[split]) for split in SPLITS}
    return DatasetInfo(
        name=dataset.name,
        input_shape=dataset.input_shape,
        n_classes=dataset.n_classes,
        n_train=sizes["train"],
        n_val=sizes["val"],
        n_test=sizes["test"],
        source=dataset.source,
        licence=dataset.licence,
    )


def digest(dataset: Dataset, on_progress: OnProgress = silent) -> str:
    """Return `d1_` and the sha256 of images, labels and splits (in their order, which the order of training follows).

    Each part is preceded by its name, type and shape, so no two data sets are hashed alike. Names (of the set, of its
    classes), source and licence are not hashed; of files, their bytes are, and the rules of data/images/pixels.py that changed
    their pixels. `d1` is the version of this layout. Raises SpecError that names every file that cannot be read.
    """
    hashed = sha256(b"resbench data set, layout 1\n")
    parts = {"labels": dataset.labels, **{split: dataset.splits[split] for split in SPLITS}}
    if isinstance(dataset.images, ImageFiles):
        hashed.update(f"files {'x'.join(map(str, dataset.images.shape))}\n".encode())
        hashed.update(b"".join(inspect(dataset.images, on_progress).digests()))
    else:
        parts = {"images": dataset.images, **parts}
    for name, tensor in parts.items():
        array = tensor.numpy()
        hashed.update(f"{name} {array.dtype} {'x'.join(map(str, array.shape))}\n".encode())
        hashed.update(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())
    return f"d1_{hashed.hexdigest()}"


def pick(images: Tensor | ImageFiles, index: Tensor) -> Tensor:
    """Return the images at these positions, uint8 BCHW in memory."""
    if isinstance(images, Tensor):
        return images[index]
    return torch.cat(list(images.batches(torch.split(index, AT_ONCE))))


def moments(dataset: Dataset) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation per channel over the train split (C 1 1), from 0 to 1; of at most 5000 files."""
    index = dataset.splits["train"]
    if isinstance(dataset.images, ImageFiles):
        index = index[
            :: -(-len(index) // SAMPLE)
        ]  # evenly spaced, so that all classes are in it where files are sorted by class
    found = [_moments(channel) for channel in pick(dataset.images, index).unbind(1)]
    mean, sd = torch.tensor(found, dtype=torch.float32).T[:, :, None, None]
    return mean, sd


def _moments(pixels: Tensor) -> tuple[float, float]:
    """Return mean and standard deviation of uint8 pixels, from 0 to 1; computed exactly, from counts of the values."""
    counts = torch.bincount(pixels.flatten(), minlength=256).tolist()
    n = sum(counts)
    total = sum(value * count for value, count in enumerate(counts))
    squares = sum(value * value * count for value, count in enumerate(counts))
    sd = sqrt(n * squares - total * total) / n / 255
    return total / n / 255, sd or 1.0  # a constant channel becomes 0 rather than nan


def _tensor_faults(data: Dataset) -> Iterator[str]:
    """Yield the faults that would make finer checks meaningless: types, numbers of axes, names of splits."""
    if isinstance(data.images, Tensor) and not _is(data.images, torch.uint8, 4):
        yield f"images must be uint8 BCHW on the CPU and not empty, got {_kind(data.images)}"
    elif not _is(data.labels, torch.int64, 1) or len(data.labels) != len(data.images):
        yield f"labels must be int64 on the CPU, one per image ({len(data.images)}), got {_kind(data.labels)}"
    if set(data.splits) != set(SPLITS):
        given = ", ".join(f"`{split}`" for split in data.splits)
        yield f"splits must be `train`, `val` and `test`, got {given or 'none'}"
    for split, index in data.splits.items():
        if not _is(index, torch.int64, 1):
            yield f"split `{split}` must be int64 with one axis, on the CPU and not empty, got {_kind(index)}"


def _label_faults(data: Dataset) -> Iterator[str]:
    if data.n_classes < 2 or len(set(data.classes)) < data.n_classes:
        yield f"classes must be two or more different names, got {list(data.classes)}"
    low, high = int(data.labels.min()), int(data.labels.max())
    if low < 0 or high >= data.n_classes:
        yield f"labels must be 0 to {data.n_classes - 1} ({data.n_classes} classes), got {low} to {high}"


def _split_faults(data: Dataset) -> Iterator[str]:
    seen: dict[int, str] = {}
    for split in SPLITS:
        index: list[int] = data.splits[split].tolist()
        if min(index) < 0 or max(index) >= len(data.images):
            allowed = f"0 to {len(data.images) - 1}"
            yield f"split `{split}` must contain positions {allowed}, got {min(index)} to {max(index)}"
        first = next((i for i in index if i in seen), None)
        twice = len(index) - len(set(index))
        if first is not None:
            yield f"image {first} is in split `{seen[first]}` and in `{split}`; splits must not share images"
        if twice:
            yield f"split `{split}` contains {twice} image{'s' * (twice > 1)} more than once"
        seen.update(dict.fromkeys(index, split))


def _is(tensor: Tensor, dtype: torch.dtype, n_axes: int) -> bool:
    return (tensor.dtype, tensor.ndim, tensor.device.type) == (dtype, n_axes, "cpu") and tensor.numel() > 0


def _kind(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} of shape {tuple(tensor.shape)} on {tensor.device}"
