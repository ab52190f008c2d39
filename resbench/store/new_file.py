"""A name -> the place of a new SQLite file: whole or not there, its owner's alone, and never over a database that is in use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from resbench import files
from resbench.errors import BadInput

_BESIDE = ("-journal", "-wal", "-shm")


@contextmanager
def new_file(target: Path, sources: Sequence[Path] = (), *, force: bool = False) -> Iterator[Path]:
    """An empty file for the block to fill, which is at `target` afterwards. `sources`: databases that it is made from.

    Raises BadInput as `check_place` does, StorageError where the file cannot be written.
    """
    check_place(target, sources, force=force)
    with files.placed(target, force=force, private=True, beside=_BESIDE) as rough:
        yield rough


def refuse_source(out: Path, sources: Sequence[Path]) -> None:
    """Raise BadInput where the new file would replace one of those that it is made from."""
    if any(out.exists() and source.exists() and out.samefile(source) for source in sources):
        raise BadInput(f"{out}: is one of the files to be merged and was left as it is; give another name")


def check_place(target: Path, sources: Sequence[Path] = (), *, force: bool = False) -> None:
    """Raise BadInput for a place that cannot be taken: something is there, or changes beside it would be played back over it."""
    if any(target.exists() and source.exists() and target.samefile(source) for source in sources):
        raise BadInput(f"{target}: is the database itself and was left as it is; give another name")
    files.check(target, force=force)
    changes = next((end for end in ("-wal", "-journal") if _size(target.with_name(target.name + end))), None)
    if changes is not None:
        raise BadInput(
            f"{target}: {target.name}{changes} beside it holds changes that belong to the file there; open that database once, "
            f"or remove both, or give another name"
        )


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
