"""Files of `results unit` beside each other: their text under a line with its sha256, and those that an earlier write left.

The line proves that resbench wrote a file and that nobody has changed it since, so that no other file is replaced or removed.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from os.path import lexists
from pathlib import Path

from resbench.errors import BadInput
from resbench.files import refusal
from resbench.store.checkpoints.mark import is_file

ENDINGS = (".study.yaml", ".network.yaml", ".recipe.yaml")  # beside the unit's own, .yaml
_HEAD = "# Written by `resbench results unit`; the sha256 of what follows: "
_LARGEST = 10_000_000  # bytes


def stamped(text: str) -> bytes:
    """Return the bytes of a text under the line that proves it."""
    content = text.encode()
    return f"{_HEAD}{sha256(content).hexdigest()}\n".encode() + content


def is_stamped(path: Path) -> bool:
    """Return whether a file is as it was written, to the last byte."""
    with suppress(OSError):
        if is_file(path) and path.stat().st_size <= _LARGEST:
            head, _, content = path.read_bytes().partition(b"\n")
            return head == f"{_HEAD}{sha256(content).hexdigest()}".encode()
    return False


def find_stale(out: Path, files: Mapping[Path, bytes], *, force: bool) -> list[Path]:
    """Return the companions of an earlier write that this one has no file for: they would be taken for a part of it.

    Args:
        out: the unit's file, which is not looked at.
        files: what is about to be written.
        force: replace and remove companions that resbench wrote.

    Raises:
        BadInput: for a companion that is there with another content, unless resbench wrote it and `force` is given.
    """
    stale = []
    for path in (out.with_name(out.name.removesuffix(".yaml") + ending) for ending in ENDINGS):
        if not lexists(path):
            continue
        if not is_stamped(path):
            raise BadInput(
                f"{path}: expected no file, or one as `results unit` wrote it, got another or one that was changed since; it was "
                "left as it is: move it away, or give another name by -o"
            )
        if path in files and path.read_bytes() == files[path]:
            continue
        if not force:
            left = f"{path}: is of an earlier write and no part of this one; give another name, or --force removes it"
            raise BadInput(refusal(path) if path in files else left)
        if path not in files:
            stale.append(path)
    return stale


def remove_stale(paths: list[Path]) -> None:
    """Remove those that are still as they were written."""
    for path in paths:
        if is_stamped(path):
            path.unlink()
