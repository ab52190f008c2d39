"""SQL of a person's on an SQLite file -> columns, then rows.  Runs in the process of readonly_child; stdlib sqlite3 only.

A read-only handle, an authorizer that allows nothing but reading, one statement, and limits on time and on the length of a value.
SQLite looks at the clock between its steps only; for the rest there is the process.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, suppress

from resbench.errors import BadInput, DatabaseError, did_you_mean
from resbench.store.authorizer import TEST_SCORES, make_authorizer
from resbench.store.location import Location
from resbench.store.own_views import DEFINITIONS, refuse_wrong_views, wrong_views
from resbench.store.readonly import NO_SELECT, SEALED, Value, late, not_allowed
from resbench.store.schema import VERSION_TABLE, check_revision
from resbench.store.sqlite_connection import connect
from resbench.store.sqlite_file import check_file, corrupt
from resbench.store.views import VIEWS

_LARGEST_VALUE_BYTES = 1_000_000
_HEAP_BYTES = 768 << 20
_STEPS_BETWEEN_LOOKS = 2_000
_LIMITS = (  # https://www.sqlite.org/security.html
    (sqlite3.SQLITE_LIMIT_LENGTH, _LARGEST_VALUE_BYTES),
    (sqlite3.SQLITE_LIMIT_SQL_LENGTH, 100_000),
    (sqlite3.SQLITE_LIMIT_COLUMN, 500),
    (sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 200),
    (sqlite3.SQLITE_LIMIT_COMPOUND_SELECT, 100),
    (sqlite3.SQLITE_LIMIT_VDBE_OP, 100_000),
    (sqlite3.SQLITE_LIMIT_ATTACHED, 0),
    (sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 100),
    (sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 0),
    (sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH, 1),
    (sqlite3.SQLITE_LIMIT_WORKER_THREADS, 0),
)


def rows(location: Location, sql: str, timeout_s: float) -> Iterator[tuple[Value, ...]]:
    """Raises BadInput for SQL that fails, writes, or goes over a limit, and DatabaseError for a file that is not ours."""
    check_file(location, create=False, timeout_s=timeout_s)
    refused: list[str] = []
    deadline = time.monotonic() + timeout_s
    try:
        with closing(connect(location.sqlite_uri("ro"), timeout_s=timeout_s)) as connection:
            _shut(connection, refused, deadline, location)
            cursor = connection.execute(sql)
            if cursor.description is None:
                raise BadInput(NO_SELECT)
            yield tuple(str(column[0]) for column in cursor.description)
            yield from cursor
    except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
        raise _explain(error, location, refused, timeout_s) from None


def _shut(connection: sqlite3.Connection, refused: list[str], deadline: float, location: Location) -> None:
    connection.isolation_level = None
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    for pragma in (
        "query_only = ON",
        "temp_store = MEMORY",
        f"hard_heap_limit = {_HEAP_BYTES}",
    ):
        connection.execute(f"PRAGMA {pragma}").close()
    with suppress(
        sqlite3.OperationalError
    ):  # an SQLite without JSON; else SQLite declares these two here, not under the authorizer
        connection.execute("SELECT 1 FROM json_each('[]'), json_tree('[]')").close()
    connection.execute("BEGIN").close()  # what is checked is what is read
    _refuse_others_views(connection, location)
    names = frozenset(name.lower() for (name,) in connection.execute("SELECT name FROM sqlite_master"))
    connection.set_progress_handler(lambda: int(time.monotonic() > deadline), _STEPS_BETWEEN_LOOKS)
    for limit, value in _LIMITS:
        connection.setlimit(limit, value)
    connection.set_authorizer(make_authorizer(frozenset(n for n in names if not n.startswith("sqlite_")), refused))


def _refuse_others_views(connection: sqlite3.Connection, location: Location) -> None:
    """Raises DatabaseError as every other reading command does, for another schema or views that are not ours."""
    there = connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (VERSION_TABLE,))
    (found,) = (
        connection.execute(f"SELECT max(version_num) FROM {VERSION_TABLE}").fetchone() if there.fetchone() else (None,)
    )
    check_revision(found, location.shown)
    refuse_wrong_views(wrong_views(connection.execute(DEFINITIONS)), location.shown)


def _explain(error: Exception, location: Location, refused: list[str], timeout_s: float) -> BadInput | DatabaseError:
    name = getattr(error, "sqlite_errorname", None) or ""
    message = str(error)
    if TEST_SCORES in refused:
        return BadInput(SEALED)
    if name == "SQLITE_INTERRUPT":
        return late(timeout_s)
    if refused:
        return not_allowed(refused[0])
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return corrupt(location.shown, message)
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_READONLY")):
        return DatabaseError(f"{location.shown}: cannot be read now: {message}")
    if name == "SQLITE_TOOBIG":
        return BadInput(f"a value is longer than {_LARGEST_VALUE_BYTES // 10**6} MB, or the SQL than 100 kB: {message}")
    if "too many SQL variables" in message:
        return BadInput("SQL: a parameter (`?`, `:name`) has nobody who gives it a value; write the value itself")
    return BadInput(f"SQL: {message}{_near(message)}")


def _near(message: str) -> str:
    """What a view or column that is not there may have been meant to be."""
    what, _, name = message.rpartition(": ")
    if what == "no such table":
        names = [view.name for view in VIEWS]
        return did_you_mean(name, names) or f"; views: {', '.join(names)}"
    if what == "no such column":
        return did_you_mean(name, sorted({column for view in VIEWS for column, _ in view.columns}))
    return ""
