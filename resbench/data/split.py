"""One split of a data set on a device -> its batches, normalised: float32 BCHW, from memory, or from files on demand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, Protocol

import torch
from torch import Tensor

from resbench.data.dataset import Dataset, moments, pick
from resbench.data.image_files import ImageFiles
from resbench.errors import BadInput
from resbench.random_streams import WHOLE, Shard

HELD_BYTES = 2**30  # of a split of files, as float32: a smaller split is decoded once and kept in memory


class Split(Protocol):
    @property
    def labels(self) -> Tensor:
        """int64 B, on the device."""

    def batches(self, chosen: Iterable[Tensor]) -> Iterator[Tensor]:
        """Return the images at the positions of each batch (positions in the split, on its device)."""


@dataclass(frozen=True, slots=True, eq=False)
class InMemorySplit:
    """A split that is in the device's memory as a whole."""

    images: Tensor
    labels: Tensor

    def batches(self, chosen: Iterable[Tensor]) -> Iterator[Tensor]:
        for positions in chosen:
            yield self.images[positions]


@dataclass(frozen=True, slots=True, eq=False)
class StreamedSplit:
    """A split whose files are decoded in every epoch. `index`: positions of the split's images among the files."""

    files: ImageFiles
    index: Tensor
    labels: Tensor
    mean: Tensor
    sd: Tensor

    def batches(self, chosen: Iterable[Tensor]) -> Iterator[Tensor]:
        device = self.labels.device
        for pixels in self.files.batches(self.index[positions.cpu()] for positions in chosen):
            yield (pixels.to(device).float() / 255 - self.mean) / self.sd


def normalised(data: Dataset, split: Literal["train", "val"], device: torch.device | str = "cpu") -> Split:
    """Return a split with mean 0 and standard deviation 1 per channel, as computed over the train split."""
    if split not in ("train", "val"):
        why = {"test": " (`test` is sealed: `sealed_test` opens it)"}.get(split, "")
        raise BadInput(f"data set `{data.name}`: the split must be `train` or `val`, not `{split}`{why}")
    return _normalised(data, split, device)


def sealed_test(data: Dataset, device: torch.device | str = "cpu") -> Split:
    """Return the test split, normalised by the train split. It is for the end of a run: it must not select anything."""
    return _normalised(data, "test", device)


def in_order(split: Split, size: int, part: Shard = WHOLE) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield batches of at most `size` images with labels: all batches, or those of one part of them."""
    positions = torch.arange(len(split.labels), device=split.labels.device)
    chosen = torch.split(positions, size)[part.rank :: part.of]
    yield from zip(split.batches(chosen), [split.labels[each] for each in chosen], strict=True)


def whole(split: Split) -> tuple[Tensor, Tensor]:
    """Return (x, y): all images and labels at once."""
    return next(in_order(split, len(split.labels)))


def _normalised(data: Dataset, name: str, device: torch.device | str) -> Split:
    index, (mean, sd) = data.splits[name], _moments(data)
    labels = data.labels[index].to(device)
    if isinstance(data.images, ImageFiles):
        _, channels, height, width = data.images.shape
        if 4 * len(index) * channels * height * width > HELD_BYTES:
            return StreamedSplit(data.images, index, labels, mean.to(device), sd.to(device))
    return InMemorySplit(((_pixels(data, name).float() / 255 - mean) / sd).to(device), labels)


_moments = lru_cache(maxsize=1)(moments)  # else files would be decoded again for every training


@lru_cache(maxsize=3)
def _pixels(data: Dataset, name: str) -> Tensor:
    return pick(data.images, data.splits[name])
