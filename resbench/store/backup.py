"""A database file, in use or not -> a copy of it, whole or not at all, by SQLite's own backup."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from resbench.errors import BadInput, DatabaseError, StorageError
from resbench.store.location import Location, locate
from resbench.store.sqlite_connection import connect, error_name
from resbench.store.sqlite_file import BUSY_TIMEOUT_S, check_file, corrupt

_SERVER = "is on a server, whose own tools copy it: `pg_dump --format=custom --file=results.dump DATABASE`"


def backup(url: str, out: str, *, force: bool = False) -> Path:
    """Copy a database, of whatever schema, while others may be writing to it. Returns where the copy is.

    Raises BadInput where something stands at `out` already, unless `force` says to replace it.
    """
    location, place = locate(url), locate(out)
    if place.path is None:
        raise BadInput(f"{place.shown}: a copy is a file, such as `copy.db`; it is no database on a server")
    target, out = place.path, place.shown
    if location.path is None:
        raise DatabaseError(f"{location.shown}: {_SERVER}")
    check_file(location, create=False)
    if target.is_dir() or not target.parent.is_dir():
        raise BadInput(
            f"{out}: {'is a folder' if target.is_dir() else 'its folder does not exist'}; give a file in a folder"
        )
    if target.exists() and target.samefile(location.path):
        raise BadInput(f"{out}: is the database itself; give another file")
    if target.exists() and not force:
        raise BadInput(f"{out}: is there already; it was left as it is{'' if force else ' (--force replaces it)'}")
    left = [end for end in ("-wal", "-journal") if _size(target.with_name(target.name + end))]
    if left:
        raise BadInput(
            f"{out}: {target.name}{left[0]} beside it holds changes that belong to the file there; open that database once, or "
            f"remove both, or give another name"
        )
    copy_file(location, target, replace=force)
    return target


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def copy_file(location: Location, target: Path, *, replace: bool = False) -> None:
    """Under another name first, synced, checked, and only then renamed."""
    rough = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        _copy(location, rough)
        if replace:
            rough.replace(target)
        else:
            os.link(rough, target)  # fails where somebody was faster
    except FileExistsError:
        raise BadInput(f"{target}: is there already; it was left as it is") from None
    except sqlite3.DatabaseError as error:
        name = error_name(error)
        if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
            raise corrupt(location.shown, str(error)) from None
        if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
            raise StorageError(
                f"{target}: no room for the copy, or the disc fails ({error}); nothing was kept"
            ) from None
        raise DatabaseError(f"{location.shown}: cannot be copied to {target}: {error}") from None
    except OSError as error:
        raise StorageError(f"{target}: cannot be written: {error.strerror}") from None
    finally:
        for left in (rough, rough.with_name(f"{rough.name}-journal")):
            left.unlink(missing_ok=True)


def _copy(location: Location, rough: Path) -> None:
    rough.unlink(missing_ok=True)
    rough.touch()  # an OSError says more than SQLite's "unable to open"
    source_uri = location.sqlite_uri("rw" if os.access(str(location.path), os.W_OK) else "ro")
    with (
        closing(connect(source_uri, timeout_s=BUSY_TIMEOUT_S)) as source,
        closing(sqlite3.connect(rough, isolation_level=None)) as copy,
    ):
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, that can be moved
        (verdict,) = copy.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise corrupt(location.shown, " ".join(verdict.split()))
    with rough.open("rb") as file:
        os.fsync(file.fileno())
