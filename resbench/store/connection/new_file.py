"""A name -> a new SQLite file, written atomically, readable by its owner alone, and never over a database known to be in use.

A database is known to be in use while a transaction of another process or engine is open on it, and in WAL mode while any
connection is open. An idle connection to a rollback-journal database holds no lock, so it cannot be detected: a program that
continues with it after `force` writes to the file that was replaced.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from resbench import files
from resbench.errors import BadInput
from resbench.store.connection.sqlite_open import connect, error_name, file_uri

_BESIDE = ("-journal", "-wal", "-shm")


@contextmanager
def new_file(target: Path, sources: Sequence[Path] = (), *, force: bool = False) -> Iterator[Path]:
    """Yield an empty file for the block to fill, which is at `target` afterwards. `sources` are the databases it is made from.

    Raises BadInput as `check_place` does, StorageError where the file cannot be written.
    """
    check_place(target, sources, force=force)
    with files.placed(target, force=force, private=True, beside=_BESIDE) as rough:
        yield rough
        check_place(target, sources, force=force)  # filling the file took some time


def refuse_source(out: Path, sources: Sequence[Path]) -> None:
    """Raise BadInput where the new file would replace one of its sources."""
    if any(_same(out, source) for source in sources):
        raise BadInput(f"{out}: is one of the files to be merged and was left as it is; give another name")


def check_place(target: Path, sources: Sequence[Path] = (), *, force: bool = False) -> None:
    """Raise BadInput for an occupied place, or where a journal beside it would be played back over the new file."""
    if any(_same(target, source) for source in sources):
        raise BadInput(f"{target}: is the database itself and was left as it is; give another name")
    files.check(target, force=force)
    changes = next((end for end in ("-wal", "-journal") if _size(target.with_name(target.name + end))), None)
    if changes is not None:
        raise BadInput(
            f"{target}: {target.name}{changes} beside it holds changes that belong to the file there; open that database once, "
            f"or remove both, or give another name"
        )
    if force and target.exists() and _is_in_use(target):
        raise BadInput(
            f"{target}: is a database that another process or connection uses, and was left as it is; stop that process, or "
            "give another name"
        )


def _is_in_use(path: Path) -> bool:
    """Return whether an SQLite file is locked now, without changing it. A file of another kind is not locked.

    In WAL mode an exclusive connection is refused while there is any other; else the lock is that of a transaction.
    """
    try:
        with closing(connect(file_uri(path, "rw"), timeout_s=0)) as connection:
            connection.isolation_level = None
            for sql in ("PRAGMA locking_mode = EXCLUSIVE", "BEGIN EXCLUSIVE", "ROLLBACK"):
                connection.execute(sql).close()
    except sqlite3.Error as error:
        return error_name(error).startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
    return False


def _same(target: Path, source: Path) -> bool:
    try:
        return target.samefile(source)
    except (OSError, ValueError):  # one of them is not there, or cannot be
        return False


def _size(path: Path) -> int:
    """Return the size of a file beside a database. Raises BadInput where none can exist: the database could never be written."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise BadInput(
            f"{path}: SQLite needs this file beside the database: {error.strerror}; give another name"
        ) from None
