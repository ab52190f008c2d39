"""A database file, in use or not -> a copy of it, written atomically by SQLite's backup."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from resbench.errors import BadInput, DatabaseError, StorageError
from resbench.language.library.lookup import at_home
from resbench.store.connection.location import Location, locate
from resbench.store.connection.new_file import new_file
from resbench.store.connection.sqlite import BUSY_TIMEOUT_S, check_file, corrupt
from resbench.store.connection.sqlite_open import connect, error_name, file_uri

_SERVER = "is on a server, whose own tools copy it: `pg_dump --format=custom --file=results.dump DATABASE`"


def backup(url: str, out: str, *, force: bool = False) -> Path:
    """Copy a database of any schema, while others may be writing to it. Return the path of the copy.

    Raises BadInput where `out` exists already, unless `force` is true.
    """
    location, place = locate(url), locate(out)
    if place.path is None:
        raise BadInput(f"{place.shown}: expected a file for the copy, such as `copy.db`, got a database on a server")
    target = at_home(out) if "://" not in out else place.path  # as the user wrote it, for messages
    if location.path is None:
        raise DatabaseError(f"{location.shown}: {_SERVER}")
    check_file(location, create=False)
    copy_file(location, target, force=force)
    return target.absolute()


def copy_file(location: Location, target: Path, *, force: bool = False) -> None:
    """Copy a file, check the copy, and only then rename it to its place. Raises BadInput where the target exists."""
    assert location.path is not None
    with new_file(target, [location.path], force=force) as rough:
        try:
            _copy(location, rough)
        except sqlite3.DatabaseError as error:
            name = error_name(error)
            if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
                raise corrupt(location.shown, str(error)) from None
            if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
                raise StorageError(
                    f"{target}: no room for the copy, or the disc fails ({error}); nothing was kept"
                ) from None
            raise DatabaseError(f"{location.shown}: cannot be copied to {target}: {error}") from None


def _copy(location: Location, rough: Path) -> None:
    source_uri = location.sqlite_uri("rw" if os.access(str(location.path), os.W_OK) else "ro")
    with (
        closing(connect(source_uri, timeout_s=BUSY_TIMEOUT_S)) as source,
        closing(connect(file_uri(rough, "rw"), timeout_s=BUSY_TIMEOUT_S)) as copy,
    ):
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, that can be moved
        (verdict,) = copy.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise corrupt(location.shown, " ".join(verdict.split()))
