"""A data set's name and settings -> Data: its train and validation splits as tensors.  The test split stays sealed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from os import PathLike
from typing import Literal, NoReturn

import torch
from torch import Tensor

from resbench.api.architecture.network import use_of
from resbench.api.architecture.value import Value, to_nodes
from resbench.data.dataset import Dataset
from resbench.data.split import Split, in_order, normalised, whole
from resbench.errors import BadInput
from resbench.language.yaml.node import Node, values
from resbench.workers.data import loaded


@dataclass(frozen=True, slots=True, eq=False)
class DataSplit:
    """Images and labels of one split, normalised to mean 0 and standard deviation 1 per channel over the train split.

    Attributes:
        name: `train` or `val`.
    """

    name: Literal["train", "val"]
    split: Split

    @property
    def images(self) -> Tensor:
        """All images, float32 BCHW; for a split that is larger than memory, use `batches`."""
        return whole(self.split)[0]

    @property
    def labels(self) -> Tensor:
        """The class of each image, int64 B."""
        return self.split.labels

    def batches(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Return images and labels in the order of the split, at most `size` at a time."""
        return in_order(self.split, size)

    def __len__(self) -> int:
        return len(self.split.labels)


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    """A data set that is loaded.

    Attributes:
        dataset: The pixels, as in the files.
        digest: Digest of images, labels and splits.
        settings: The given settings.
        device: The device of the tensors of `train` and `val`.
    """

    dataset: Dataset
    digest: str
    settings: Mapping[str, Node]
    device: torch.device

    @property
    def name(self) -> str:
        """The name that it is registered under."""
        return self.dataset.name

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, by label."""
        return self.dataset.classes

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of an image."""
        return self.dataset.input_shape

    @property
    def train(self) -> DataSplit:
        """The training split."""
        return DataSplit("train", normalised(self.dataset, "train", self.device))

    @property
    def val(self) -> DataSplit:
        """The validation split, by which runs are selected."""
        return DataSplit("val", normalised(self.dataset, "val", self.device))

    @property
    def test(self) -> NoReturn:
        """Raise BadInput, since nothing that selects may see the test images."""
        raise BadInput(
            f"data set `{self.name}`: expected `train` or `val`, got `test`, which is sealed; a study computes each run's test "
            "error once, and `resbench results top STUDY --test` shows it and records that somebody looked"
        )

    def __repr__(self) -> str:
        sizes = {name: len(self.dataset.splits[name]) for name in ("train", "val", "test")}
        return f"Data({self.name}, {', '.join(f'{name} {count}' for name, count in sizes.items())}, {len(self.classes)} classes)"


def load_data(data: str | Mapping[str, Value], *, device: str | torch.device = "cpu", **settings: Value) -> Data:
    """Load a data set, and check that no image is in two of its splits.

    Args:
        data: Its name, or `{"use": name, setting: value}` as in a study.
        device: The device of the tensors.
        settings: Values for its settings, such as `noise=0.3`.

    Returns:
        The data set. `.train` and `.val` have `.images` and `.labels`; `.test` is sealed.

    Raises:
        BadInput: For a name that is unknown, and for data that are not on this machine, with the command that fetches them.
        SpecError: For settings that do not fit, and for files that cannot be read.

    Example:
        >>> import resbench as rb
        >>> data = rb.load_data("digits")
        >>> data
        Data(digits, train 1117, val 340, test 340, 10 classes)
        >>> data.train.images.shape, data.train.labels[:3]
        (torch.Size([1117, 1, 8, 8]), tensor([1, 2, 3]))
    """
    name, given = use_of(data, "data")
    nodes = {**to_nodes(given), **to_nodes(settings)}
    dataset, digest = loaded(name, values(Node(nodes)))
    return Data(dataset, digest, nodes, torch.device(device))


DataLike = str | PathLike[str] | Mapping[str, Value] | Data


def data_of(data: DataLike, device: torch.device) -> Data:
    """Return the data set on the device."""
    if isinstance(data, Data):
        return Data(data.dataset, data.digest, data.settings, device)
    return load_data(data if isinstance(data, Mapping) else str(data), device=device)
