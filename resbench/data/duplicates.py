"""A data set -> images that are identical, byte for byte, in two splits or in two classes.

The network is trained on an image of which val or test has a copy.  Files are compared by their bytes, arrays by their pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from resbench.data.dataset import SPLITS, Dataset
from resbench.data.image_files import ImageFiles
from resbench.data.images.inspection import inspect
from resbench.data.images.tree import NAMED
from resbench.errors import BadInput
from resbench.escape import printable

Pair = tuple[int, int]  # positions of two equal images


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Pairs of identical images: of each content in several splits (or classes), the first two images that differ in that."""

    across_splits: Sequence[Pair]
    across_classes: Sequence[Pair]


def find_duplicates(dataset: Dataset) -> Duplicates:
    places = _places(dataset)
    first: dict[bytes, int] = {}
    groups: dict[int, list[int]] = {}
    for position, content in enumerate(_contents(dataset)):
        if position in places and (at := first.setdefault(content, position)) != position:
            groups.setdefault(at, [at]).append(position)
    split = {i: places[i][0] for group in groups.values() for i in group}
    label = {i: int(dataset.labels[i]) for i in split}
    return Duplicates(_pairs(groups, split), _pairs(groups, label))


def refuse_duplicates(dataset: Dataset) -> None:
    """Raise BadInput if two splits share an image and the settings of the data set do not allow it."""
    if dataset.copies == "refused" and (pairs := find_duplicates(dataset).across_splits):
        raise BadInput(
            f"{_message(dataset, pairs, 'splits')}. Remove them from one, or allow copies of training images in val and test by "
            f"`allow_copies: true`"
        )


def duplicate_notes(dataset: Dataset) -> Iterator[str]:
    if dataset.copies == "unchecked":
        return
    found = find_duplicates(dataset)
    for pairs, where in ((found.across_splits, "splits"), (found.across_classes, "classes")):
        if pairs:
            yield _message(dataset, pairs, where)


def _message(dataset: Dataset, pairs: Sequence[Pair], where: str) -> str:
    places = _places(dataset)

    def name(position: int) -> str:
        if isinstance(dataset.images, ImageFiles):
            return printable(str(dataset.images.paths[position]), 300)
        split, index = places[position]
        return f"{split}[{index}]"

    shown = "; ".join(f"{name(a)} and {name(b)}" for a, b in pairs[:NAMED])
    more = f"; and {len(pairs) - NAMED} more" if len(pairs) > NAMED else ""
    images = f"{len(pairs)} images are" if len(pairs) > 1 else "1 image is"
    return f"{images} in two {where}, byte for byte: {shown}{more}"


def _pairs(groups: Mapping[int, Sequence[int]], kind: Mapping[int, object]) -> list[Pair]:
    others = ((first, next((i for i in group if kind[i] != kind[first]), None)) for first, group in groups.items())
    return [(first, other) for first, other in others if other is not None]


def _places(dataset: Dataset) -> dict[int, tuple[str, int]]:
    """Return, for each image in use, its split and its number in it."""
    return {
        position: (split, number) for split in SPLITS for number, position in enumerate(dataset.splits[split].tolist())
    }


def _contents(dataset: Dataset) -> Iterator[bytes]:
    if isinstance(dataset.images, ImageFiles):
        yield from inspect(dataset.images).sha256s
    else:
        for image in dataset.images.numpy():
            yield sha256(image.tobytes()).digest()
