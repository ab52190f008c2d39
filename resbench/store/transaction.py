"""Engine -> one transaction, reading or writing; what the database raises -> a resbench error with place and advice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from resbench.errors import DatabaseError, ResbenchError, StorageError, Unavailable
from resbench.store.dialect import WRITES, comes_back
from resbench.store.location import hide_password
from resbench.store.sqlite_file import BUSY_TIMEOUT_S, corrupt


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that sees one state of the database throughout."""
    with explained(engine), engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that is committed whole or not at all; in SQLite it holds the write lock from its start."""
    with explained(engine), engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        yield connection


@contextmanager
def explained(engine: Engine) -> Iterator[None]:
    """Turn what SQLAlchemy raises into DatabaseError or StorageError; nothing else is touched."""
    try:
        yield
    except SQLAlchemyError as error:
        raise explain(error, shown(engine), str(engine.url.password or "")) from None


def shown(engine: Engine) -> str:
    """The database's name as it may be printed."""
    if engine.dialect.name == "sqlite":
        return str(engine.url.database)
    return engine.url.render_as_string(hide_password=True)


def explain(error: SQLAlchemyError, where: str, password: str = "") -> ResbenchError:
    """The error a person sees: where, what, and what to do."""
    if isinstance(error, PoolTimeout):
        return Unavailable(f"{where}: every connection is in use: {error}")
    if not isinstance(error, DBAPIError):
        return DatabaseError(f"{where}: {_clean(str(error), password)}")
    cause = error.orig
    message = _clean(str(cause), password)
    name = str(getattr(cause, "sqlite_errorname", "") or "")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return Unavailable(
            f"{where}: held by another process for over {BUSY_TIMEOUT_S:.0f} s; try again when it is done"
        )
    if name.startswith("SQLITE_READONLY"):
        return DatabaseError(f"{where}: is read-only: reading commands work, running ones do not ({message})")
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
        return StorageError(f"{where}: the disc is full or fails ({message}); nothing half-written was kept")
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return corrupt(where, message)
    if name.startswith("SQLITE_CANTOPEN"):
        return DatabaseError(f"{where}: cannot be opened or is gone ({message})")
    if error.connection_invalidated or comes_back(cause):
        return Unavailable(f"{where}: does not answer: {message}")
    if isinstance(error, IntegrityError):
        return DatabaseError(f"{where}: a row was refused: {message}")
    return DatabaseError(f"{where}: {message}")


def _clean(message: str, password: str) -> str:
    message = hide_password(" ".join(message.split()))
    return message.replace(password, "***") if password else message
