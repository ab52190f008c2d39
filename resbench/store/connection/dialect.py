"""The differences between SQLite and Postgres: engine, begin, insert-if-absent, the lock around making the schema.

The engine of a server is in postgres.py.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Mapping
from typing import Any
from weakref import finalize

from sqlalchemy import (
    URL,
    ColumnElement,
    Connection,
    Double,
    Engine,
    Table,
    cast,
    create_engine,
    event,
    func,
    literal,
    text,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import ExceptionContext

from resbench.errors import DatabaseError, StorageError
from resbench.files import make_private
from resbench.store.connection.limits import LIMIT_S, limit_of
from resbench.store.connection.location import Location
from resbench.store.connection.sqlite import BUSY_TIMEOUT_S
from resbench.store.connection.sqlite_open import connect, error_name, limit_time

WRITES = "resbench_writes"  # execution option of a connection whose transaction is going to write
AT = "resbench_location"  # execution option of an engine: the Location that it was made from
_SCHEMA_LOCK = 0x7265_7362  # "resb": the key of the advisory lock


def sqlite_engine(location: Location, *, create: bool, transaction_s: float) -> Engine:
    """Return an engine on a file. Statements that run longer than `transaction_s` after their transaction began are ended."""
    uri = location.sqlite_uri("rwc" if create else "rw")
    engine = create_engine(
        URL.create("sqlite", database=str(location.path)),
        execution_options={AT: location},
        creator=lambda: connect(uri, timeout_s=BUSY_TIMEOUT_S, any_thread=True),
    )

    def begin(connection: Connection) -> None:
        limit_time(connection.connection.dbapi_connection, transaction_s)  # type: ignore[arg-type]
        _begin_sqlite(connection)

    event.listen(engine, "connect", _on_sqlite_connect)
    event.listen(engine, "begin", begin)
    sign(engine, transaction_s)
    return engine


def begin_immediate(engine: Engine, *, transaction_s: float | None = None) -> None:
    """Make every transaction of another library's SQLite engine take the write lock at its start, and limit its duration."""
    limit_s = limit_of(transaction_s)

    def begin(connection: Connection) -> None:
        limit_time(connection.connection.dbapi_connection, limit_s)  # type: ignore[arg-type]
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    event.listen(engine, "connect", _hand_over)
    event.listen(engine, "begin", begin)


def sign(engine: Engine, limit_s: float) -> None:
    """Attach the engine to each error of the database, and the limit to the engine, since transactions may be nested."""
    engine.update_execution_options(**{LIMIT_S: limit_s})

    def sign(context: ExceptionContext) -> None:
        error = context.sqlalchemy_exception
        if error is not None and context.engine is not None:  # there is none while a pool tries a connection
            error.engine = context.engine  # type: ignore[attr-defined]

    event.listen(engine, "handle_error", sign)


def close_when_unused(engine: Engine) -> None:
    """Close the connections once the engine is garbage: a command ends without disposing of it, and psycopg would warn."""
    finalize(engine, engine.pool.dispose)


def _begin_sqlite(connection: Connection) -> None:
    """Begin a transaction: IMMEDIATE for writers, since a deferred one that reads first fails where another has written."""
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def reading_options(engine: Engine) -> dict[str, Any]:
    """Return the execution options of a transaction that sees one state of the database; in SQLite every transaction does."""
    if engine.dialect.name == "postgresql":
        return {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    return {}


def lock_rows(connection: Connection, tables: Iterable[Table]) -> None:
    """Lock tables against other writers until this transaction ends, one after the other; in SQLite a writer locks the file."""
    if connection.dialect.name == "postgresql":
        names = ", ".join(table.name for table in tables)
        connection.execute(text(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"))


def insert_absent(connection: Connection, table: Table, values: Mapping[str, Any]) -> bool:
    """Insert a row unless one with its key exists. Return whether it was inserted."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql  # takes 30 ms, which a command on a file need not wait for

        key = table.primary_key.columns.values()[0]  # returned, since SQLAlchemy gives no rowcount for this insert
        absent = postgresql.insert(table).values(values).on_conflict_do_nothing().returning(key)
        return connection.execute(absent).first() is not None
    return connection.execute(sqlite.insert(table).values(values).on_conflict_do_nothing()).rowcount == 1


def clock(connection: Connection) -> ColumnElement[float]:
    """Return seconds since 1970 by the clock of the database; for a file, that of this machine."""
    if connection.dialect.name == "postgresql":
        return cast(func.extract("epoch", func.clock_timestamp()), Double)
    return literal(time.time(), Double)


def server_of(connection: Connection) -> str | None:
    """Return an identifier of a server's database that differs from its copies and from other databases; None for a file.

    It is made from the server's system identifier, since clients may know the server by different names; "" where the role may
    not read it (every role may, unless the right was revoked).
    """
    if connection.dialect.name != "postgresql":
        return None
    asked = "SELECT has_function_privilege(to_regprocedure('pg_control_system()'), 'execute')"
    if not connection.execute(text(asked)).scalar():
        return ""
    number = "(SELECT system_identifier FROM pg_control_system())"
    row = connection.execute(text(f"SELECT {number}, oid FROM pg_database WHERE datname = current_database()")).one()
    return f"server {row[0]}, database {row[1]}"


_COMES_BACK = (
    "08",
    "53",
    "57P",
    "55P03",
    "40001",
    "40P01",
)  # connection, resources, shutdown, lock, serialisation, deadlock


def was_cancelled(error: BaseException | None) -> bool:
    """Return whether Postgres cancelled a statement (query_canceled), as it does at the limit."""
    return getattr(error, "sqlstate", None) == "57014"


def is_temporary(error: BaseException | None) -> bool:
    """Return whether an error of Postgres is temporary (its appendix A): a restart, no free connection, a lock time-out."""
    state = getattr(error, "sqlstate", None)
    if state is not None:
        return str(state).startswith(_COMES_BACK)
    return type(error).__name__ == "OperationalError" and not isinstance(
        error, sqlite3.Error
    )  # the server is unreachable


def lock_schema(connection: Connection) -> None:
    """Keep every other process from making the schema until this transaction ends (BEGIN IMMEDIATE does in SQLite)."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SCHEMA_LOCK})


def set_journal(location: Location) -> None:
    """Set the journal mode: WAL where this SQLite is safe with it, else DELETE; unchanged where another process holds the file.

    A missing file is created, readable by its owner alone.
    """
    wanted = "wal" if wal_is_safe(sqlite3.sqlite_version_info) else "delete"
    if location.path is not None:
        make_private(location.path)
    try:
        connection = connect(location.sqlite_uri("rwc"), timeout_s=BUSY_TIMEOUT_S)
    except sqlite3.OperationalError as error:
        raise DatabaseError(f"{location.shown}: cannot be made: {error}") from None
    try:
        (found,) = connection.execute("PRAGMA journal_mode").fetchone()
        if found != wanted:
            connection.execute(f"PRAGMA journal_mode={wanted}")
    except sqlite3.Error as error:
        name = error_name(error)
        if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
            raise StorageError(f"{location.shown}: the disc is full or fails ({error})") from None
        if not name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_READONLY")):
            raise DatabaseError(f"{location.shown}: cannot be written to: {error}") from None
    finally:
        connection.close()


def wal_is_safe(version: tuple[int, ...]) -> bool:
    """Return whether WAL is safe: older versions may lose a commit when two connections checkpoint at once
    (https://www.sqlite.org/wal.html, 11).

    >>> [wal_is_safe(version) for version in [(3, 51, 3), (3, 51, 2), (3, 50, 7), (3, 50, 6), (3, 44, 6), (3, 40, 1)]]
    [True, False, True, False, True, False]
    """
    return version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)


def _on_sqlite_connect(connection: sqlite3.Connection, _record: object) -> None:
    _hand_over(connection, _record)
    connection.execute("PRAGMA foreign_keys = ON").close()


def _hand_over(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself: the "begin" listeners do
