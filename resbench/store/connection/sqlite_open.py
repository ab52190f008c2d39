"""A file's URI -> a connection of sqlite3's that trusts nothing in the file.  stdlib only; every handle is made here."""

from __future__ import annotations

import math
import os
import sqlite3
import time
from pathlib import Path
from urllib.parse import quote

TRANSACTION_S = 600.0  # what a transaction may take unless a person gives another limit; see limits.py
_STEPS_BETWEEN_LOOKS = 50_000  # of SQLite's virtual machine; some milliseconds


def connect(uri: str, *, timeout_s: float, any_thread: bool = False) -> sqlite3.Connection:
    """`timeout_s`: how long to wait for whoever holds the file. Raises sqlite3.OperationalError where it cannot be opened."""
    connection = sqlite3.connect(uri, uri=True, timeout=timeout_s, check_same_thread=not any_thread)
    distrust(connection)
    return connection


def distrust(connection: sqlite3.Connection) -> None:
    """Make SQLite run no function and no virtual table that the schema names, and write to no page of its own by SQL
    (https://www.sqlite.org/security.html, "Untrusted SQLite Database Files").
    """
    for pragma in ("trusted_schema = OFF", "cell_size_check = ON", "mmap_size = 0"):
        connection.execute(f"PRAGMA {pragma}").close()
    setconfig = getattr(connection, "setconfig", None)  # from Python 3.12 on
    if setconfig is not None:
        setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE, True)  # type: ignore[attr-defined,unused-ignore]


def file_uri(path: Path, mode: str) -> str:
    """Return a file as SQLite's own URI: `mode` is ro, rw (never makes a file) or rwc."""
    return f"file:{quote(os.fsencode(path.absolute()))}?mode={mode}"


def error_name(error: BaseException | None) -> str:
    """Return what SQLite calls its error, such as SQLITE_CORRUPT; "" for one of Python's own, as of a text that is no
    UTF-8.
    """
    return str(getattr(error, "sqlite_errorname", "") or "")


def limit_time(connection: sqlite3.Connection, seconds: float) -> None:
    """End every statement that is still running after so many seconds from now: it raises SQLITE_INTERRUPT. `inf`: none."""
    if math.isinf(seconds):
        connection.set_progress_handler(None, 0)
        return
    deadline = time.monotonic() + seconds
    connection.set_progress_handler(lambda: int(time.monotonic() > deadline), _STEPS_BETWEEN_LOOKS)
