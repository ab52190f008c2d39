"""Engine -> one transaction, reading or writing; an error of the database -> a resbench error with place and advice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from resbench.errors import DatabaseError, DatabaseUnavailable, Reason, ResbenchError, StorageError
from resbench.store.connection.dialect import AT, WRITES, is_temporary, reading_options, was_cancelled
from resbench.store.connection.limits import LIMIT_S, limit_of, time_limit_message
from resbench.store.connection.location import Location
from resbench.store.connection.postgres import pooler_hint
from resbench.store.connection.sqlite import BUSY_TIMEOUT_S, corrupt
from resbench.store.connection.sqlite_open import error_name


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that sees one state of the database throughout, and writes nothing."""
    options = reading_options(engine)
    with explained(engine), engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that is committed atomically; in SQLite it holds the write lock from its start."""
    with explained(engine), engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        yield connection


@contextmanager
def explained(engine: Engine) -> Iterator[None]:
    """Turn errors of SQLAlchemy into DatabaseError or StorageError; other errors pass unchanged."""
    try:
        yield
    except SQLAlchemyError as error:
        if getattr(error, "engine", engine) is not engine:  # of the database of a transaction around this one
            raise
        raise explain(error, location_of(engine), engine.get_execution_options().get(LIMIT_S)) from None
    except UnicodeDecodeError as error:
        raise corrupt(shown(engine), str(error)) from None
    except UnicodeEncodeError as error:  # a lone surrogate, which JSON can contain
        raise DatabaseError(f"{shown(engine)}: a text was refused, since it is not valid Unicode: {error}") from None
    except Reason as fact:  # a value that its column cannot hold
        raise DatabaseError(f"{shown(engine)}: {fact}; `resbench db check` lists every such row") from None


def location_of(engine: Engine) -> Location:
    """Return the location that the engine was made from; the engine's own URL may be written differently."""
    location: Location = engine.get_execution_options()[AT]
    return location


def shown(engine: Engine) -> str:
    """Return the printable name of the database."""
    return location_of(engine).shown


def explain(error: SQLAlchemyError, location: Location, limit_s: float | None = None) -> ResbenchError:
    """Return the error for the user: where, what, and what to do. `limit_s` is the limit of the transaction, as in limit_of."""
    where = location.shown
    if isinstance(error, PoolTimeout):
        return DatabaseUnavailable(f"{where}: every connection is in use: {location.conceal(str(error))}")
    if not isinstance(error, DBAPIError):
        return DatabaseError(f"{where}: {location.conceal(str(error))}")
    cause = error.orig
    message = location.conceal(str(cause))
    name = error_name(cause)
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return DatabaseUnavailable(
            f"{where}: held by another process for over {BUSY_TIMEOUT_S:.0f} s; try again when it is done"
        )
    if name.startswith("SQLITE_INTERRUPT") or was_cancelled(cause):
        return DatabaseError(time_limit_message(where, limit_of(limit_s)))
    if name.startswith("SQLITE_READONLY"):
        return DatabaseError(f"{where}: is read-only: reading commands work, running ones do not ({message})")
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
        return StorageError(f"{where}: the disc is full or fails ({message}); nothing half-written was kept")
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return corrupt(where, message)
    if name.startswith("SQLITE_CANTOPEN"):
        return DatabaseError(f"{where}: cannot be opened or is gone ({message})")
    if hint := pooler_hint(message):
        return DatabaseError(f"{where}: {message}; {hint}")
    if error.connection_invalidated or is_temporary(cause):
        return DatabaseUnavailable(f"{where}: does not answer: {message}")
    if "Could not decode to UTF-8" in message:  # the message of SQLite's driver names no row
        return DatabaseError(f"{where}: {message}; `resbench db check` lists every such row")
    if isinstance(error, IntegrityError):
        return DatabaseError(f"{where}: a row was refused: {message}")
    return DatabaseError(f"{where}: {message}")
