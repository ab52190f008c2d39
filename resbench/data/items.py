"""Sequences of pairs (image, label), such as torchvision's data sets -> Dataset in memory.

    @dataset(INFO)
    def mine() -> Dataset:
        return from_items(INFO, {"train": Mine("train"), "test": Mine("test")})

An image is a PIL image, a numpy array (HWC or HW) or a tensor (CHW): 8 bits, or floats from 0 to 1; not normalised: training
normalises them.  A PIL image is resized to the size of the data set as a file would be; the others must have that size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from resbench.data.dataset import SPLITS, Dataset
from resbench.data.held_out import tenth_by_class
from resbench.data.image_files import chw
from resbench.data.images.levels import to_uint8
from resbench.data.images.pixels import Rules, convert
from resbench.data.info import DatasetInfo
from resbench.errors import Reason


class Items(Protocol):
    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Any:
        """Return an image and the number of its class; further values are ignored."""


def from_items(info: DatasetInfo, parts: Mapping[str, Items], classes: Sequence[str] = ()) -> Dataset:
    """Read every item once. A missing val or test is drawn from train, a tenth of each class.

    Args:
        info: the registered facts; their sizes must be those of the result.
        parts: the items of `train` and, optionally, of `val` and `test`.
        classes: names of the classes; by default their numbers.

    Raises:
        Reason: if an item is not such a pair, with its part and number.
    """
    if "train" not in parts or not set(parts) <= set(SPLITS):
        raise Reason(f"parts: expected `train` and, optionally, `val` and `test`, got {', '.join(parts) or 'none'}")
    pixels, labels = torch.empty(sum(map(len, parts.values())), *info.input_shape, dtype=torch.uint8), list[int]()
    splits: dict[str, Tensor] = {}
    for split, items in parts.items():
        start = len(labels)
        for number in range(len(items)):
            try:
                image, label = items[number][:2]
                pixels[len(labels)] = _pixels(image, info.input_shape)
                labels.append(int(label))
            except (Reason, TypeError, ValueError) as error:
                raise Reason(f"item {number} of {split}: {error}") from None
        splits[split] = torch.arange(start, len(labels))
    for split in ("test", "val"):
        if split not in splits:
            train = splits["train"]
            drawn = torch.zeros(len(train), dtype=torch.bool)
            drawn[tenth_by_class([labels[i] for i in train.tolist()], f"{info.name} {split}")] = True
            splits["train"], splits[split] = train[~drawn], train[drawn]
    names = tuple(classes) or tuple(map(str, range(info.n_classes)))
    return Dataset(info.name, pixels, torch.tensor(labels), splits, names, info.source, info.licence)


def _pixels(image: Any, shape: tuple[int, int, int]) -> Tensor:
    """Return one image as uint8 CHW. Raises Reason, and whatever Pillow raises."""
    channels, height, width = shape
    if isinstance(image, Image.Image):
        if channels not in (1, 3):
            raise Reason(f"a PIL image must have 1 or 3 channels, the data set has {channels}")
        return chw(convert(image, Rules(channels)).image, (width, height))
    if isinstance(image, Tensor):
        values = image.numpy(force=True)
    elif isinstance(image, np.ndarray):
        values = image[None] if image.ndim == 2 else image.transpose(2, 0, 1) if image.ndim == 3 else image
    else:
        raise Reason(f"expected a PIL image, an array or a tensor, got {type(image).__name__}")
    if values.shape != shape:
        raise Reason(
            f"expected an image of {'x'.join(map(str, shape))} (CxHxW), got {'x'.join(map(str, values.shape))}"
        )
    if values.dtype == np.uint8:
        return torch.from_numpy(np.ascontiguousarray(values))
    if values.dtype.kind != "f":
        raise Reason(f"expected pixels of 8 bits, or floats from 0 to 1, got {values.dtype}")
    return torch.from_numpy(to_uint8(values, (0, 1)))
