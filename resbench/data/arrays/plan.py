"""A numpy file (.npz) -> the arrays that hold images, the labels and the splits; everything but the pixels.

`images` and `labels`, with `train`, `val`, `test` as positions or masks; or a pair for each split: `images_train` and
`labels_train`, `train_images` and `train_labels`, or `x_train` and `y_train`, and so on.  `classes` may name the classes.  A
missing val or test split is drawn from train, a tenth of each class.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from resbench.data.arrays.npz import Header, headers, read_array
from resbench.data.held_out import tenth_by_class
from resbench.errors import Reason
from resbench.escape import printable

SPLITS = ("train", "val", "test")
PAIRS = (("images_{}", "labels_{}"), ("{}_images", "{}_labels"), ("x_{}", "y_{}"))
MOST_CLASSES = 100_000
Layout = Literal["NHWC", "NCHW"]
Index = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ArrayFile:
    """The contents of a file. `images`: its image arrays by name; `shape`: of one image, CHW. `unknown`: unused arrays."""

    path: Path
    images: Mapping[str, Header]
    layout: Layout
    shape: tuple[int, int, int]
    labels: Index
    splits: Mapping[str, Index]
    classes: tuple[str, ...]
    unknown: tuple[str, ...]


def read_plan(path: Path, layout: Layout | None) -> ArrayFile:
    """Read everything but the pixels. Raises Reason with the name of the array at fault."""
    by_name = headers(path)
    pairs = _pairs(path, by_name)
    parts = [_labels(path, by_name, *pair) for pair in pairs.values()]
    labels = np.concatenate(parts)
    images = {name: by_name[name] for name, _ in pairs.values()}
    splits = _splits(path, by_name, len(labels)) if "" in pairs else _consecutive(pairs, parts)
    used = {"classes", *(name for pair in pairs.values() for name in pair), *(SPLITS if "" in pairs else ())}
    classes = _classes(path, by_name, labels)
    stated, shape = _shape(path, images, layout)
    return ArrayFile(
        path,
        images,
        stated,
        shape,
        labels,
        _with_missing_drawn(path, splits, labels, classes),
        classes,
        tuple(sorted({*by_name} - used)),
    )


def _pairs(path: Path, by_name: Mapping[str, Header]) -> dict[str, tuple[str, str]]:
    """Return images and labels by split; under an empty name where all splits share them."""
    if "images" in by_name:
        pairs = {"": ("images", "labels")}
    else:
        pairs = {
            split: (images.format(split), labels.format(split))
            for images, labels in PAIRS
            for split in SPLITS
            if images.format(split) in by_name
        }
    if "" not in pairs and "train" not in pairs:
        names = ", ".join(f"`{printable(name)}`" for name in by_name) or "none"
        raise Reason(
            f"{path}: expected arrays `images` and `labels`, or `images_train` and `labels_train`, got {names}"
        )
    missing = next((labels for _, labels in pairs.values() if labels not in by_name), None)
    if missing is not None:
        raise Reason(f"{path}: there is no `{missing}`")
    return pairs


def _labels(path: Path, by_name: Mapping[str, Header], images: str, name: str) -> Index:
    where, header, n = f"{path}: `{name}`", by_name[name], by_name[images].shape[0] if by_name[images].shape else 0
    if header.dtype.kind not in "bui":
        raise Reason(
            f"{where}: expected classes as integers from 0, got {header.dtype}; an array `classes` may name them"
        )
    if header.shape not in ((n,), (n, 1)):
        raise Reason(f"{where}: expected one label for each of the {n} images, got shape {header.shape}")
    if n == 0:
        raise Reason(f"{where}: it is empty")
    found = read_array(path, header).reshape(-1)
    if found.min() < 0:
        raise Reason(
            f"{where}: expected classes numbered from 0, but image {found.argmin()} has the label {found.min()}"
        )
    if found.max() >= MOST_CLASSES:
        raise Reason(
            f"{where}: expected at most {MOST_CLASSES} classes, but image {found.argmax()} has the label {found.max()}"
        )
    return found.astype(np.int64)


def _splits(path: Path, by_name: Mapping[str, Header], n: int) -> dict[str, Index]:
    """Return the splits that the file defines; without an array `train`, it is all other images."""
    splits = {split: _positions(f"{path}: `{split}`", path, by_name[split], n) for split in SPLITS if split in by_name}
    if "train" not in splits:
        left = np.ones(n, np.bool_)
        for index in splits.values():
            left[index] = False
        splits["train"] = np.flatnonzero(left)
    return splits


def _positions(where: str, path: Path, header: Header, n: int) -> Index:
    """Return the positions that an array gives, as a list or as a mask over all images."""
    if len(header.shape) != 1 or header.dtype.kind not in "bui" or (header.dtype.kind == "b" and header.shape != (n,)):
        raise Reason(
            f"{where}: expected positions of images, or one boolean for each of the {n}, got {header.dtype} of shape "
            f"{header.shape}"
        )
    found = read_array(path, header)
    if header.dtype.kind == "b":
        found = np.flatnonzero(found)
    if len(found) == 0:
        raise Reason(f"{where}: it is empty")
    if found.min() < 0 or found.max() >= n:
        wrong = found.min() if found.min() < 0 else found.max()
        raise Reason(f"{where}: expected positions from 0 to {n - 1}, got {wrong}")
    return found.astype(np.int64)


def _consecutive(splits: Iterable[str], labels: Sequence[Index]) -> dict[str, Index]:
    """Return the positions of splits whose images are stored one after the other."""
    ends = np.cumsum([0, *map(len, labels)])
    return {split: np.arange(ends[i], ends[i + 1]) for i, split in enumerate(splits)}


def _classes(path: Path, by_name: Mapping[str, Header], labels: Index) -> tuple[str, ...]:
    """Return the names of the classes: those in `classes`, else their numbers."""
    n = int(labels.max()) + 1
    if "classes" not in by_name:
        return tuple(map(str, range(n)))
    header = by_name["classes"]
    if header.dtype.kind != "U" or len(header.shape) != 1 or header.shape[0] < n:
        raise Reason(
            f"{path}: `classes`: expected the names of the {n} classes, got {header.dtype} of shape {header.shape}"
        )
    return tuple(map(str, read_array(path, header)))


def _shape(path: Path, images: Mapping[str, Header], layout: Layout | None) -> tuple[Layout, tuple[int, int, int]]:
    """Return layout and shape of one image. Three axes are BHW (grey); of four, the channels are the one of size 1 or 3."""
    (name, header), *others = images.items()
    where, shape = f"{path}: `{name}`", header.shape
    wrong = next((other for other, its in others if its.shape[1:] != shape[1:]), None)
    if wrong is not None:
        raise Reason(f"{path}: `{wrong}` holds images of shape {images[wrong].shape[1:]}, and `{name}` of {shape[1:]}")
    if len(shape) not in (3, 4) or 0 in shape:
        raise Reason(f"{where}: expected images of shape BHW, BHWC or BCHW, got shape {shape}")
    if len(shape) == 3:
        return "NCHW", (1, shape[1], shape[2])
    if layout is None:
        last, second = shape[3] in (1, 3), shape[1] in (1, 3)
        if last == second:
            ambiguity = (
                "either axis may be the channels" if last else "neither its last nor its second axis is 1 or 3 channels"
            )
            raise Reason(f"{where}: its shape is {shape}, and {ambiguity}: give `layout: NHWC` or `layout: NCHW`")
        layout = "NHWC" if last else "NCHW"
    return layout, (shape[3], shape[1], shape[2]) if layout == "NHWC" else (shape[1], shape[2], shape[3])


def _with_missing_drawn(
    path: Path, splits: Mapping[str, Index], labels: Index, classes: Sequence[str]
) -> dict[str, Index]:  # fmt: skip
    """Return all three splits; a missing val or test is drawn from train."""
    complete = dict(splits)
    missing = [split for split in ("test", "val") if split not in splits]
    counts = np.bincount(labels[complete["train"]], minlength=int(labels.max()) + 1)
    few = next((label for label, n in enumerate(counts) if n < 1 + len(missing)), None)
    if missing and few is not None:
        raise Reason(
            f"{path}: class {printable(classes[few])}: expected at least {1 + len(missing)} training images for the "
            f"splits, got {counts[few]}"
        )
    for split in missing:
        train = complete["train"]
        drawn = np.zeros(len(train), np.bool_)
        drawn[tenth_by_class(labels[train].tolist(), f"arrays {split}")] = True
        complete["train"], complete[split] = train[~drawn], train[drawn]
    return complete
