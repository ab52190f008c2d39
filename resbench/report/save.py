"""Bytes -> a file that is whole or not there: written beside its place, then put into it."""

from __future__ import annotations

import os
from pathlib import Path

from resbench.errors import BadInput, StorageError
from resbench.spec.names import printable


def save(path: Path, data: bytes) -> None:
    """Raises BadInput where no such file can be, StorageError where it cannot be written."""
    shown = printable(str(path), 300)
    if path.is_dir():
        raise BadInput(f"{shown}: this is a folder; a file is needed")
    if not path.parent.is_dir():
        raise BadInput(f"{shown}: there is no folder {printable(str(path.parent), 300)}")
    target = path.resolve()  # a link stays a link
    if target.exists() and not target.is_file():  # a pipe or a device
        _write(target, target, data, shown)
        return
    beside = target.with_name(f".{target.name[:200]}.{os.getpid()}.part")
    try:
        _write(beside, target, data, shown)
    finally:
        beside.unlink(missing_ok=True)


def _write(first: Path, target: Path, data: bytes, shown: str) -> None:
    try:
        first.write_bytes(data)
        if first != target:
            first.replace(target)
    except OSError as error:
        raise StorageError(f"{shown}: cannot be written: {error.strerror}") from None
