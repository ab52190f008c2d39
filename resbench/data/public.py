"""A public data set in torchvision's folders -> Dataset: val is drawn from train by class, test is as published.

It is searched in `$RESBENCH_DATA`, else in `./data` and `~/.cache/resbench/data`; it is downloaded only if RESBENCH_DOWNLOAD=1.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resbench.data.info import DatasetInfo
from resbench.data.paths import folders
from resbench.errors import Reason

if TYPE_CHECKING:
    from resbench.data.dataset import Dataset

Part = Callable[
    [Path, bool, bool], tuple[Any, Any]
]  # folder, whether the training part, whether to download -> images, labels
Both = tuple[tuple[Any, Any], tuple[Any, Any]]
_TO_DO = "Put it there as torchvision lays it out, name another folder in RESBENCH_DATA, or allow a download: RESBENCH_DOWNLOAD=1"


def may_download() -> bool:
    """Return whether RESBENCH_DOWNLOAD allows downloads. Raises Reason if it is neither 0 nor 1."""
    value = os.environ.get("RESBENCH_DOWNLOAD") or "0"
    if value not in ("0", "1"):
        raise Reason(f"RESBENCH_DOWNLOAD: expected 1 (download) or 0, got {value!r}")
    return value == "1"


def read_public(info: DatasetInfo, classes: tuple[str, ...], files: str, part: Part) -> Dataset:
    """Read the data set. `part` reads uint8 BCHW and labels, and raises RuntimeError or OSError if its files are missing.
    Raises Reason if they are missing and may not or cannot be downloaded.
    """
    import numpy as np
    import torch

    from resbench.data.dataset import Dataset
    from resbench.data.make.draw import shuffled_by_class, take

    (images, labels), (test_images, test_labels) = _parts(files, part)
    labels, test_labels = np.asarray(labels, np.int64), np.asarray(test_labels, np.int64)
    by_class = shuffled_by_class(labels, f"{info.name}, train and val")
    of_each = info.n_val // info.n_classes
    n = len(labels)
    return Dataset(
        name=info.name,
        images=torch.from_numpy(np.concatenate([images, test_images])),
        labels=torch.from_numpy(np.concatenate([labels, test_labels])),
        splits={
            "train": torch.from_numpy(take(by_class, of_each, None)),
            "val": torch.from_numpy(take(by_class, 0, of_each)),
            "test": torch.arange(n, n + len(test_labels)),
        },
        classes=classes,
        source=info.source,
        licence=info.licence,
    )


def absent(files: str, part: Part) -> str | None:
    """Return where the files were searched and what to do, if they are missing; nothing is downloaded."""
    if _there(part) is not None:
        return None
    if may_download():
        return f"{_not_in(files)}; a run downloads it, since RESBENCH_DOWNLOAD is 1"
    return f"{_not_in(files)}. {_TO_DO}"


def _parts(files: str, part: Part) -> Both:
    found = _there(part)
    if found is not None:
        return found
    if may_download():
        try:
            return part(folders()[0], True, True), part(folders()[0], False, True)
        except (RuntimeError, OSError) as error:
            raise Reason(f"{_not_in(files)}, and the download failed: {str(error).splitlines()[0]}") from None
    raise Reason(f"{_not_in(files)}. {_TO_DO}")


def _there(part: Part) -> Both | None:
    for folder in folders():
        try:
            return part(folder, True, False), part(folder, False, False)
        except (RuntimeError, OSError):
            continue
    return None


def _not_in(files: str) -> str:
    return f"{files} is not in {' and '.join(map(str, folders()))}"


def read_idx_part(name: str, places: tuple[Path, ...], folder: Path, train: bool, download: bool) -> tuple[Any, Any]:
    """Read a part of a data set in MNIST's format, from torchvision's folder of that class or a folder with the four IDX
    files.
    """
    from resbench.data.make.idx import read_idx
    from resbench.errors import BadInput

    if download:
        from torchvision import datasets

        getattr(datasets, name)(str(folder), train=train, download=True)
    which = "train" if train else "t10k"
    for place in (folder / name / "raw", *places):
        try:
            images = read_idx(place, f"{which}-images-idx3-ubyte")
            return images[:, None].copy(), read_idx(place, f"{which}-labels-idx1-ubyte")
        except BadInput:
            continue
    raise FileNotFoundError(folder)
