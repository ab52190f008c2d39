"""A name or the path of a file -> the library around it.  No torch here."""

from __future__ import annotations

from pathlib import Path

from resbench.ops.schema import table
from resbench.spec.library import Library


def library_of(file: str) -> Library:
    """Return the library that a name is looked up in; for the path of a file, with the files beside it."""
    return Library(table(), Path(file).parent if file.endswith(".yaml") else None)
