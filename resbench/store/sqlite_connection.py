"""A file's URI -> a connection of sqlite3's that trusts nothing in the file.  stdlib only; every handle of ours is made here."""

from __future__ import annotations

import sqlite3
import time

TRANSACTION_S = 600.0  # what a transaction may take, as on Postgres; a file that never ends is not waited for
_STEPS_BETWEEN_LOOKS = 50_000  # of SQLite's virtual machine; some milliseconds


def connect(uri: str, *, timeout_s: float, any_thread: bool = False) -> sqlite3.Connection:
    """`timeout_s`: how long to wait for whoever holds the file. Raises sqlite3.OperationalError where it cannot be opened.

    Functions and virtual tables that the schema names are not run, and its own pages cannot be written to
    (https://www.sqlite.org/security.html, "Untrusted SQLite Database Files").
    """
    connection = sqlite3.connect(uri, uri=True, timeout=timeout_s, check_same_thread=not any_thread)
    for pragma in ("trusted_schema = OFF", "cell_size_check = ON", "mmap_size = 0"):
        connection.execute(f"PRAGMA {pragma}").close()
    setconfig = getattr(connection, "setconfig", None)  # from Python 3.12 on
    if setconfig is not None:
        setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE, True)  # type: ignore[attr-defined,unused-ignore]
    return connection


def error_name(error: BaseException | None) -> str:
    """What SQLite calls its error, such as SQLITE_CORRUPT; "" for one of Python's own, as of a text that is no UTF-8."""
    return str(getattr(error, "sqlite_errorname", "") or "")


def limit_time(connection: sqlite3.Connection, seconds: float) -> None:
    """End every statement that is still running after so many seconds from now: it raises SQLITE_INTERRUPT."""
    deadline = time.monotonic() + seconds
    connection.set_progress_handler(lambda: int(time.monotonic() > deadline), _STEPS_BETWEEN_LOOKS)
