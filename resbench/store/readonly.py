"""SQL of a person's -> QueryResult(columns, rows).  It can read, whatever it is given; stdlib sqlite3 only, so it starts fast.

A read-only handle, an authorizer that allows nothing but reading, one statement, and limits on time, rows and bytes.
SQLite looks at the clock between its steps only; the length limit bounds one step (the worst, `instr`, to some 10 s).
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing, suppress
from dataclasses import dataclass

from resbench.errors import BadInput, DatabaseError
from resbench.store.authorizer import TEST_SCORES, make_authorizer
from resbench.store.location import Location, locate
from resbench.store.sqlite_file import check_file, corrupt
from resbench.store.sqlite_functions import add_functions

Value = str | int | float | bytes | None

_LARGEST_VALUE_BYTES = 1_000_000
_LARGEST_RESULT_BYTES = 256_000_000
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


@dataclass(frozen=True, slots=True)
class QueryResult:
    """`truncated`: there were more rows than asked for."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    truncated: bool


def query(url: str, sql: str, *, max_rows: int, timeout_s: float) -> QueryResult:
    """Raises BadInput for SQL that fails, writes, or goes over a limit, and DatabaseError for a file that is not ours."""
    location = locate(url)
    if location.path is None:
        raise DatabaseError(f"{location.shown}: `resbench query` reads SQLite files only")
    check_file(location, create=False, timeout_s=timeout_s)
    refused: list[str] = []
    deadline = time.monotonic() + timeout_s
    try:
        with closing(sqlite3.connect(location.sqlite_uri("ro"), uri=True, timeout=timeout_s)) as connection:
            _shut(connection, refused, deadline)
            return _fetch(connection, sql, max_rows)
    except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
        raise _explain(error, location, refused, timeout_s) from None


def _shut(connection: sqlite3.Connection, refused: list[str], deadline: float) -> None:
    connection.isolation_level = None
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    for pragma in ("query_only = ON", "trusted_schema = OFF", "temp_store = MEMORY"):
        connection.execute(f"PRAGMA {pragma}").close()
    add_functions(connection)
    with suppress(
        sqlite3.OperationalError
    ):  # an SQLite without JSON; else SQLite declares these two here, not under the authorizer
        connection.execute("SELECT 1 FROM json_each('[]'), json_tree('[]')").close()
    names = frozenset(name.lower() for (name,) in connection.execute("SELECT name FROM sqlite_master"))
    connection.set_progress_handler(lambda: int(time.monotonic() > deadline), _STEPS_BETWEEN_LOOKS)
    for limit, value in _LIMITS:
        connection.setlimit(limit, value)
    connection.set_authorizer(make_authorizer(frozenset(n for n in names if not n.startswith("sqlite_")), refused))


def _fetch(connection: sqlite3.Connection, sql: str, max_rows: int) -> QueryResult:
    cursor = connection.execute(sql)
    if cursor.description is None:
        raise BadInput('no SELECT was given; `resbench query` takes one, such as "SELECT * FROM v_leaderboard"')
    rows: list[tuple[Value, ...]] = []
    result_bytes = 0
    for row in cursor:
        if len(rows) == max_rows:
            return QueryResult(_columns(cursor), tuple(rows), truncated=True)
        result_bytes += sum(len(value) if isinstance(value, str | bytes) else 8 for value in row)
        if result_bytes > _LARGEST_RESULT_BYTES:
            raise BadInput(
                f"the answer is larger than {_LARGEST_RESULT_BYTES // 10**6} MB; ask for fewer rows or columns"
            )
        rows.append(row)
    return QueryResult(_columns(cursor), tuple(rows), truncated=False)


def _columns(cursor: sqlite3.Cursor) -> tuple[str, ...]:
    return tuple(str(column[0]) for column in cursor.description)


def _explain(error: Exception, location: Location, refused: list[str], timeout_s: float) -> BadInput | DatabaseError:
    name = getattr(error, "sqlite_errorname", None) or ""
    message = str(error)
    if TEST_SCORES in refused:
        return BadInput(
            "test scores are not read by SQL, so that nothing is chosen by them; "
            "`resbench results top STUDY --test` shows them and writes down that they were looked at"
        )
    if name == "SQLITE_INTERRUPT":
        return BadInput(f"the query took over {timeout_s:g} s and was stopped; ask for less, or give it more time")
    if refused:
        return BadInput(f"not allowed: {refused[0]}; `resbench query` only reads (one SELECT)")
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return corrupt(location.shown, message)
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_READONLY")):
        return DatabaseError(f"{location.shown}: cannot be read now: {message}")
    if name == "SQLITE_TOOBIG":
        return BadInput(f"a value is longer than {_LARGEST_VALUE_BYTES // 10**6} MB, or the SQL than 100 kB: {message}")
    return BadInput(f"SQL: {message}")
