"""Path -> its file system, and whether an SQLite database may be used there.

SQLite's locks do not hold on network file systems (https://www.sqlite.org/howtocorrupt.html, 2.1), so two machines can
destroy a database there. 9p and virtiofs are not refused: containers and virtual machines show local discs that way.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from resbench.errors import DatabaseError
from resbench.files import SQLITE_HEADER, is_filled
from resbench.store.connection.limits import limit_of, time_limit_message
from resbench.store.connection.location import Location
from resbench.store.connection.sqlite_open import connect, error_name, limit_time
from resbench.store.schema.foreign_objects import OPTUNA_MARKS, foreign_objects
from resbench.store.schema.frozen import is_frozen

_KERNEL = (
    "nfs",
    "nfs4",
    "cifs",
    "smb2",
    "smb3",
    "smbfs",
    "ncpfs",
    "afs",
    "ceph",
    "lustre",
    "glusterfs",
    "beegfs",
    "davfs",
)
_FUSE = ("davfs", "sshfs", "ceph", "glusterfs", "s3fs", "rclone", "gcsfuse", "juicefs")
NETWORK = frozenset((*_KERNEL, *(f"fuse.{name}" for name in _FUSE)))
_MOUNTS = Path("/proc/mounts")


def file_system_of(path: Path, mounts: str) -> str:
    r"""Return the type of the mount that holds an absolute path; of two mounts on one point the later one counts.

    >>> file_system_of(Path("/data/my files/x.db"), "/dev/sda / ext4 rw 0 0\nbox:/f /data/my\\040files nfs4 rw 0 0\n")
    'nfs4'
    """
    best, kind = -1, ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), fields[1])
        if path.is_relative_to(point) and len(Path(point).parts) >= best:
            best, kind = len(Path(point).parts), fields[2]
    return kind


def refuse_network(path: Path, mounts: str | None = None) -> None:
    """Raise DatabaseError where the path is on a network file system; systems without /proc/mounts pass."""
    if mounts is None:
        mounts = _MOUNTS.read_text("utf-8", "replace") if _MOUNTS.exists() else ""
    kind = file_system_of(path.resolve(), mounts)
    if kind in NETWORK:
        raise DatabaseError(
            f"{path}: is on a network file system ({kind}), where SQLite's locks do not hold; "
            "put the database on a local disc, or use `--db postgresql://..`"
        )


BUSY_TIMEOUT_S = 60.0
_SHOWN = 5  # foreign objects that are named in a message


def check_file(
    location: Location, *, create: bool, timeout_s: float = BUSY_TIMEOUT_S, transaction_s: float | None = None
) -> None:
    """Raise DatabaseError for a path that cannot be used. `create` allows a missing or empty file.

    `timeout_s` is the time to wait for a process that holds the file; `transaction_s` limits the check, as in limit_of.
    """
    path = location.path
    assert path is not None
    try:
        there = _is_there(location, path, create=create)
    except OSError as error:  # a name that is too long, a folder that may not be looked into
        raise DatabaseError(f"{location.shown}: cannot be a database: {error.strerror}") from None
    if there:
        _check_content(location, path, create=create, limits_s=(timeout_s, limit_of(transaction_s)))


def _is_there(location: Location, path: Path, *, create: bool) -> bool:
    """Return whether there is a regular file. Raises DatabaseError where none can exist, or where one must exist."""
    if path.is_dir():
        raise DatabaseError(f"{location.shown}: is a folder; give a file in it, such as `{location.shown}/results.db`")
    if not path.parent.is_dir():
        raise DatabaseError(f"{location.shown}: the folder {path.parent} does not exist; make it first")
    if create:
        refuse_network(path)
        with suppress(FileNotFoundError):
            path.with_name(f"{path.name}-journal").lstat()  # raises where SQLite could not create one
    if not path.exists():
        if create and not location.read_only:
            return False
        raise DatabaseError(
            f"{location.shown}: no such database; `resbench study run STUDY --db {location.shown}` makes one"
        )
    if not path.is_file():
        raise DatabaseError(f"{location.shown}: expected a regular file, got something else")
    return True


def _check_content(location: Location, path: Path, *, create: bool, limits_s: tuple[float, float]) -> None:
    """Check an existing file. `limits_s` are the time to wait for a process that holds it, and the limit of the check."""
    _check_header(location, path, create=create)
    tables, foreign = _schema(location, limits_s, whole=create)
    if foreign:
        more = f" and {len(foreign) - _SHOWN} more" if len(foreign) > _SHOWN else ""
        raise DatabaseError(
            f"{location.shown}: holds objects that resbench did not write and SQLite would run: "
            f"{', '.join(foreign[:_SHOWN])}{more}; it was left as it is: drop them in a copy of the file, or get the file again "
            "from its author"
        )
    others = [name for name in tables if not name.startswith(("rb_", "sqlite_"))]
    if others and len(others) == len(tables) and not set(others) >= OPTUNA_MARKS:
        raise DatabaseError(
            f"{location.shown}: is the database of another program (tables {', '.join(others[:3])}..); "
            "it was left as it is; give another file"
        )


def corrupt(shown: str, why: str) -> DatabaseError:
    return DatabaseError(
        f"{shown}: the database is damaged ({why}); the file was left as it is: restore a copy of it "
        "(`resbench db backup` makes copies)"
    )


def _check_header(location: Location, path: Path, *, create: bool) -> None:
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(100)
    except OSError as error:
        raise DatabaseError(f"{location.shown}: cannot be read: {error.strerror}") from None
    if not head:
        if create:
            return
        raise DatabaseError(
            f"{location.shown}: is empty; `resbench study run STUDY --db {location.shown}` writes results"
        )
    if not head.startswith(SQLITE_HEADER):
        raise DatabaseError(f"{location.shown}: is not an SQLite database; it was left as it is")
    if is_frozen(head):
        raise DatabaseError(
            f"{location.shown}: is a frozen benchmark, made by `resbench results freeze`, not a database of runs; "
            f"`resbench.tabular.load({location.shown!r})` reads it"
        )
    if len(head) < 100:
        raise corrupt(location.shown, "truncated inside its header")
    page = int.from_bytes(head[16:18], "big")
    pages = int.from_bytes(head[28:32], "big")
    page_bytes = 65536 if page == 1 else page
    # The page count is valid only where the change counter equals version-valid-for (file format, 1.3.7).
    if (
        head[24:28] == head[92:96]
        and size < pages * page_bytes
        and not is_filled(path.with_name(path.name + "-journal"))
    ):
        raise corrupt(location.shown, f"{size} bytes, where its header says {pages * page_bytes}")


def _schema(location: Location, limits_s: tuple[float, float], *, whole: bool) -> tuple[list[str], list[str]]:
    """Return the names of the tables, and the foreign objects of the schema."""
    try:
        try:
            return _ask(location.sqlite_uri("ro"), location.shown, limits_s, whole=whole)
        except sqlite3.OperationalError as error:
            if not error_name(error).startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN")):
                raise
            # A writer was killed: only a writable handle can roll its journal back.
            return _ask(location.sqlite_uri("rw"), location.shown, limits_s, whole=whole)
    except sqlite3.OperationalError as error:
        if error_name(error).startswith("SQLITE_INTERRUPT"):
            raise DatabaseError(time_limit_message(location.shown, limits_s[1])) from None
        if not error_name(error):
            raise corrupt(location.shown, str(error)) from None
        raise DatabaseError(f"{location.shown}: cannot be opened: {error}") from None
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise corrupt(location.shown, str(error)) from None


def _ask(uri: str, shown: str, limits_s: tuple[float, float], *, whole: bool) -> tuple[list[str], list[str]]:
    with closing(connect(uri, timeout_s=limits_s[0])) as connection:
        limit_time(connection, limits_s[1])
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        foreign = foreign_objects(connection)
        if whole and not foreign:  # the check would run the functions that a CHECK calls
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise corrupt(shown, " ".join(verdict.split()))
        return [str(name) for name in names], foreign
