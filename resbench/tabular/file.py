"""Path -> a frozen benchmark opened for reading, or an error that says what the file is.  Nothing of it is loaded.

The file is not trusted: its schema must be exactly that of a frozen benchmark, so that it contains nothing that would run; every
row is checked against its columns; and no query takes longer than a limit.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from resbench.errors import BadInput, DatabaseError, Reason
from resbench.escape import printable
from resbench.files import SQLITE_HEADER
from resbench.store.connection.sqlite_open import connect, file_uri, limit_time
from resbench.store.query.sql_text import plain_sql
from resbench.store.records import TRAINED_STATUSES
from resbench.store.schema.frozen import FORMAT, SCHEMA, is_frozen
from resbench.store.schema.values import FLAG, NUMBER, OBJECT, SHAPE, TEXT, WHOLE, Kind, number_kind, one_of

ANSWER_S = 60.0  # limit of one query
_COLUMN = re.compile(r"^ {4}(\w+) (TEXT|INTEGER|REAL)( NOT NULL| PRIMARY KEY)?", re.MULTILINE)
_OBJECTS = {("study", "spec"), ("architecture", "spec"), ("recipe", "spec"), ("data", "settings"), ("environment", "plugins"),
            ("unit", "params")}  # fmt: skip
_FLAGS = {("environment", name) for name in ("git_dirty", "deterministic", "tf32")}
Columns = Mapping[str, tuple[Kind, bool]]  # by name: what a column holds, and whether it may be NULL
Row = tuple[Any, ...]


def _statements() -> Iterator[str]:
    return (sql for text in SCHEMA.split(";\n") if (sql := plain_sql(text)))


def _tables() -> Iterator[tuple[str, Columns]]:
    for text in SCHEMA.split(";\n"):
        if text.strip().startswith("CREATE TABLE"):
            table = text.split()[2]
            yield table, {name: (_kind(table, name, kind), not rule) for name, kind, rule in _COLUMN.findall(text)}


def _kind(table: str, name: str, declared: str) -> Kind:
    if (table, name) in _OBJECTS:
        return OBJECT
    if (table, name) == ("run", "status"):
        return one_of(TRAINED_STATUSES)
    if (table, name) in _FLAGS:
        return FLAG
    if declared == "TEXT":
        return SHAPE if name == "input_shape" else TEXT
    return WHOLE if declared == "INTEGER" else number_kind(name)


TABLES: Mapping[str, Columns] = MappingProxyType(dict(_tables()))
# The columns of a query that joins tables. The cost of a unit may be unknown.
_JOINED: Columns = MappingProxyType(
    {name: column for table in TABLES.values() for name, column in table.items()}
    | {"params": TABLES["architecture"]["params"], "macs": (WHOLE, True), "memory_mib": (NUMBER, True)}
)


class FrozenFile:
    """An open frozen benchmark. Every fault in it is raised as a DatabaseError that names the file."""

    def __init__(self, connection: sqlite3.Connection, shown: str) -> None:
        self._connection, self.shown = connection, shown

    def select(self, sql: str, values: tuple[object, ...] = ()) -> list[Row]:
        """Return the rows of a query; columns are checked by their names."""
        return self._rows(sql, values, _JOINED)

    def first(self, sql: str, values: tuple[object, ...] = ()) -> Row | None:
        rows = self.select(sql, values)
        return rows[0] if rows else None

    def table(self, name: str, order: str = "rowid") -> list[Row]:
        """Return every row of a table with all columns."""
        order = "" if order == "rowid" else f" ORDER BY {order}"
        return self._rows(f"SELECT * FROM {name}{order}", (), TABLES[name])

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Add the file to errors about its values, or about rows that contradict each other."""
        try:
            yield
        except sqlite3.IntegrityError as error:
            raise DatabaseError(
                f"{self.shown}: its rows contradict each other ({error}); get the file again from its author"
            ) from None
        except Reason as fact:
            raise DatabaseError(f"{self.shown}: {fact}; get the file again from its author") from None

    def _rows(self, sql: str, values: tuple[object, ...], columns: Columns) -> list[Row]:
        with self.explained():
            try:
                limit_time(self._connection, ANSWER_S)
                cursor = self._connection.execute(sql, values)
                names = [column[0] for column in cursor.description]
                known = [(number, name, *columns[name]) for number, name in enumerate(names) if name in columns]
                return [_checked(row, known) for row in cursor]
            except (sqlite3.Error, UnicodeDecodeError) as error:
                if getattr(error, "sqlite_errorname", "") == "SQLITE_INTERRUPT":
                    raise Reason(f"reading it took more than {ANSWER_S:g} s and was stopped") from None
                if isinstance(error, sqlite3.ProgrammingError) and "closed" in str(error):
                    raise BadInput(f"{self.shown}: the benchmark is closed; load it again") from None
                raise Reason(f"the file is damaged ({error})") from None


def _checked(row: Row, columns: list[tuple[int, str, Kind, bool]]) -> Row:
    for number, name, kind, nullable in columns:
        if row[number] is not None or not nullable:
            kind.check(name, row[number])
    return row


def open_frozen(path: Path) -> FrozenFile:
    """Open a frozen benchmark. Raises DatabaseError for a file that does not exist, is of another kind, is truncated, has a later
    format, or contains anything but the tables of a frozen benchmark.

    It is opened as immutable, so a query takes no lock (https://www.sqlite.org/uri.html, `immutable`).
    """
    shown = printable(str(path), 300)
    try:
        with path.open("rb") as file:
            head = file.read(100)
        size = path.stat().st_size
    except OSError as error:
        raise DatabaseError(f"{shown}: cannot be read: {error.strerror}") from None
    if not head.startswith(SQLITE_HEADER) or len(head) < 100:
        raise DatabaseError(f"{shown}: is not a frozen benchmark; `resbench results freeze STUDY -o {shown}` makes one")
    if not is_frozen(head):
        raise DatabaseError(
            f"{shown}: is a database, but not a frozen benchmark; if it holds results of resbench, "
            f"`resbench results freeze STUDY --db {shown} -o bench.db` makes one from them"
        )
    version, page = int.from_bytes(head[60:64], "big"), int.from_bytes(head[16:18], "big")
    if version > FORMAT:
        raise DatabaseError(f"{shown}: has format {version}; expected at most {FORMAT}; install a later resbench")
    if size < int.from_bytes(head[28:32], "big") * (65536 if page == 1 else page):
        raise DatabaseError(f"{shown}: is cut off; get it again")
    file_of = FrozenFile(_connected(path, shown), shown)
    try:
        _refuse_another_schema(file_of)
    except BaseException:
        file_of.close()
        raise
    return file_of


def _connected(path: Path, shown: str) -> sqlite3.Connection:
    try:
        return connect(f"{file_uri(path, 'ro')}&immutable=1", timeout_s=ANSWER_S, any_thread=True)
    except sqlite3.Error as error:
        raise DatabaseError(f"{shown}: cannot be opened: {error}") from None


def _refuse_another_schema(file: FrozenFile) -> None:
    found = [str(sql) for name, sql in file.select("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")]
    foreign = sorted({plain_sql(sql) for sql in found} ^ set(_statements()))
    if foreign:
        raise DatabaseError(
            f"{file.shown}: its tables are not those of a frozen benchmark ({printable(foreign[0], 80)}); get it again from "
            "its author"
        )
