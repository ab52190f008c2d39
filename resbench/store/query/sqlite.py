"""SQL of the user's on a SQLite file -> columns, then rows.  An authorizer allows or denies each action of the statement.

Everything but reading is denied. Allowed are SELECT, recursion, functions without effects outside the statement, and columns of
tables and views in the file, of the schema and of JSON's table functions. Test scores are denied by name wherever they are read
from, so no alias, join, subquery or view leads to them (https://www.sqlite.org/c3ref/set_authorizer.html).
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress

from resbench.did_you_mean import did_you_mean
from resbench.errors import BadInput, DatabaseError
from resbench.store.connection.location import Location
from resbench.store.connection.sqlite import check_file, corrupt
from resbench.store.connection.sqlite_open import connect
from resbench.store.query.query import NO_SELECT, SEALED, Value, not_allowed, timeout_error
from resbench.store.schema.own_views import DEFINITIONS, refuse_wrong_views, wrong_views
from resbench.store.schema.revision import VERSION_TABLE, check_revision
from resbench.store.schema.views import VIEWS

TEST_SCORES = "rb_test_score"
_SCHEMA = frozenset({"sqlite_master", "sqlite_schema", "json_each", "json_tree"})
# They have effects outside the statement, in some build or shell of SQLite.
_FILES = ("load_extension", "readfile", "writefile", "edit", "lsdir", "fsdir", "zipfile")
_FUNCTIONS = frozenset((*_FILES, "sqlar_compress", "sqlar_uncompress", "fts3_tokenizer", "sqlite_log", "sqlite_offset"))
Authorizer = Callable[[int, str | None, str | None, str | None, str | None], int]


def make_authorizer(tables: frozenset[str], refused: list[str]) -> Authorizer:
    """Return an authorizer. `tables` are the names in the file, in lower case. What is denied is added to `refused`, as text."""
    readable = (tables - {TEST_SCORES}) | _SCHEMA

    def deny(words: str) -> int:
        refused.append(words)
        return sqlite3.SQLITE_DENY

    def authorize(action: int, first: str | None, second: str | None, _schema: str | None, _by: str | None) -> int:
        if action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE):
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_FUNCTION:
            name = (second or "").lower()
            return deny(f"the function {name}()") if name in _FUNCTIONS else sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_READ:
            name = (first or "").lower()
            # With no column the name may be that of a WITH clause, or of a table of which no column is read.
            if name in readable or (not second and name != TEST_SCORES and not name.startswith(("sqlite_", "pragma_"))):
                return sqlite3.SQLITE_OK
            return deny(TEST_SCORES if name == TEST_SCORES else f"reading {first}")
        return deny(_WORDS.get(action, "anything but SELECT"))

    return authorize


_WORDS = {
    sqlite3.SQLITE_ATTACH: "ATTACH",
    sqlite3.SQLITE_DETACH: "DETACH",
    sqlite3.SQLITE_PRAGMA: "PRAGMA",
    sqlite3.SQLITE_INSERT: "INSERT",
    sqlite3.SQLITE_UPDATE: "UPDATE",
    sqlite3.SQLITE_DELETE: "DELETE",
    sqlite3.SQLITE_TRANSACTION: "BEGIN and COMMIT",
    sqlite3.SQLITE_SAVEPOINT: "SAVEPOINT",
}


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
    """Yield the columns, then the rows. Raises BadInput for SQL that fails, writes or exceeds a limit, and DatabaseError for a
    foreign file.
    """
    check_file(location, create=False, timeout_s=timeout_s)
    refused: list[str] = []
    deadline = time.monotonic() + timeout_s
    try:
        with closing(connect(location.sqlite_uri("ro"), timeout_s=timeout_s)) as connection:
            _restrict(connection, refused, deadline, location)
            cursor = connection.execute(sql)
            if cursor.description is None:
                raise BadInput(NO_SELECT)
            yield tuple(str(column[0]) for column in cursor.description)
            yield from cursor
    except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
        raise _explain(error, location, refused, timeout_s) from None


def _restrict(connection: sqlite3.Connection, refused: list[str], deadline: float, location: Location) -> None:
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
    ):  # an SQLite without JSON raises; any other declares these two here, before the authorizer is set
        connection.execute("SELECT 1 FROM json_each('[]'), json_tree('[]')").close()
    connection.execute("BEGIN").close()  # the statement reads the state that is checked here
    _refuse_others_views(connection, location)
    names = frozenset(name.lower() for (name,) in connection.execute("SELECT name FROM sqlite_master"))
    connection.set_progress_handler(lambda: int(time.monotonic() > deadline), _STEPS_BETWEEN_LOOKS)
    for limit, value in _LIMITS:
        connection.setlimit(limit, value)
    connection.set_authorizer(make_authorizer(frozenset(n for n in names if not n.startswith("sqlite_")), refused))


def _refuse_others_views(connection: sqlite3.Connection, location: Location) -> None:
    """Raise DatabaseError, as every other reading command does, for another schema or foreign views."""
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
        return timeout_error(timeout_s)
    if refused:
        return not_allowed(refused[0])
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return corrupt(location.shown, message)
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_READONLY")):
        return DatabaseError(f"{location.shown}: cannot be read now: {message}")
    if name == "SQLITE_TOOBIG":
        return BadInput(f"a value is longer than {_LARGEST_VALUE_BYTES // 10**6} MB, or the SQL than 100 kB: {message}")
    if "too many SQL variables" in message:
        return BadInput("SQL: expected no parameter (`?`, `:name`), since none is bound; write the value itself")
    return BadInput(f"SQL: {message}{_near(message)}")


def _near(message: str) -> str:
    """Return a suggestion for a missing view or column."""
    what, _, name = message.rpartition(": ")
    if what == "no such table":
        names = [view.name for view in VIEWS]
        return did_you_mean(name, names) or f"; views: {', '.join(names)}"
    if what == "no such column":
        return did_you_mean(name, sorted({column for view in VIEWS for column, _ in view.columns}))
    return ""
