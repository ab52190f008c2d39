"""The URI of a file -> a connection of sqlite3's that trusts nothing in the file.  stdlib only; every handle is made here."""

from __future__ import annotations

import math
import os
import sqlite3
import time
from pathlib import Path
from urllib.parse import quote

TRANSACTION_S = 600.0  # the default limit of a transaction; see limits.py
_STEPS_BETWEEN_LOOKS = 50_000  # of SQLite's virtual machine; some milliseconds


def connect(uri: str, *, timeout_s: float, any_thread: bool = False) -> sqlite3.Connection:
    """Open a file; wait `timeout_s` for a process that holds it. Raises sqlite3.OperationalError where it cannot be opened."""
    connection = sqlite3.connect(uri, uri=True, timeout=timeout_s, check_same_thread=not any_thread)
    distrust(connection)
    return connection


def distrust(connection: sqlite3.Connection) -> None:
    """Forbid SQLite to run functions and virtual tables that the schema names, and SQL to write to internal pages
    (https://www.sqlite.org/security.html, "Untrusted SQLite Database Files").
    """
    for pragma in ("trusted_schema = OFF", "cell_size_check = ON", "mmap_size = 0"):
        connection.execute(f"PRAGMA {pragma}").close()
    setconfig = getattr(connection, "setconfig", None)  # from Python 3.12 on
    if setconfig is not None:
        setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE, True)  # type: ignore[attr-defined,unused-ignore]


def file_uri(path: Path, mode: str) -> str:
    """Return the path as a URI of SQLite's. `mode` is ro, rw (never creates a file) or rwc."""
    return f"file:{quote(os.fsencode(path.absolute()))}?mode={mode}"


def error_name(error: BaseException | None) -> str:
    """Return SQLite's name of an error, such as SQLITE_CORRUPT; "" for an error of Python's, such as a text that is not UTF-8."""
    return str(getattr(error, "sqlite_errorname", "") or "")


def limit_time(connection: sqlite3.Connection, seconds: float) -> None:
    """Interrupt every statement that is still running `seconds` from now, with SQLITE_INTERRUPT. `inf` is no limit."""
    if math.isinf(seconds):
        connection.set_progress_handler(None, 0)
        return
    deadline = time.monotonic() + seconds
    connection.set_progress_handler(lambda: int(time.monotonic() > deadline), _STEPS_BETWEEN_LOOKS)
