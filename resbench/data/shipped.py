"""A shipped npz (images uint8 BCHW, labels and train, val, test int64) -> Dataset, after its sha256 is checked."""

from __future__ import annotations

from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from resbench.data.info import DatasetInfo
from resbench.errors import Reason

if TYPE_CHECKING:
    from resbench.data.dataset import Dataset

FILES = Path(__file__).parent / "files"


def read_shipped(info: DatasetInfo, classes: tuple[str, ...], expected_sha256: str) -> Dataset:
    """Read `files/<name>.npz`. Raises Reason if the file is missing, unreadable or altered."""
    import numpy as np
    import torch

    from resbench.data.dataset import SPLITS, Dataset

    with np.load(BytesIO(_checked_bytes(info.name, expected_sha256)), allow_pickle=False) as arrays:
        tensors = {key: torch.from_numpy(arrays[key]) for key in ("images", "labels", *SPLITS)}
    return Dataset(
        name=info.name,
        images=tensors["images"],
        labels=tensors["labels"],
        splits={split: tensors[split] for split in SPLITS},
        classes=classes,
        source=info.source,
        licence=info.licence,
    )


def _checked_bytes(name: str, expected_sha256: str) -> bytes:
    file = f"{name}.npz"
    again = f"it comes with resbench: install resbench again, or run `python -m resbench.data.make.{name}`"
    try:
        content = (FILES / file).read_bytes()
    except FileNotFoundError:
        raise Reason(f"the file {file} is missing in {FILES} ({again})") from None
    except OSError as error:
        raise Reason(f"the file {file} in {FILES} cannot be read: {error.strerror}") from None
    found = sha256(content).hexdigest()
    if found != expected_sha256:
        raise Reason(
            f"the file {file} in {FILES} is damaged or altered: its sha256 is {found}, "
            f"that of the shipped file {expected_sha256} ({again})"
        )
    return content
