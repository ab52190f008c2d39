"""A server's location -> an engine on it, also through a connection pooler (PgBouncer) that hands each transaction any session.

Behind a pooler no state of a session outlasts its transaction. So limits are set again in each transaction, not by start options,
which PgBouncer refuses; and no statement is prepared. A pooler is detected at each new connection, unless the URL sets
`prepare_threshold`.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, create_engine, event

from resbench.store.connection.dialect import AT, close_when_unused, sign
from resbench.store.connection.location import FOUND, Location

if TYPE_CHECKING:
    import psycopg

_CONNECT_S = 10
_LOCK_S = 60.0
_IDLE_S = 20.0  # a client that is paused within a transaction would hold its locks for ever
_LARGEST_MS = 2**31 - 1  # of Postgres's settings
_HINTS = {
    r"unsupported startup parameter": (
        "a connection pooler in front of this server refuses an option of the URL: leave it out, or add it to "
        "ignore_startup_parameters of the pooler"
    ),
    r"prepared statement .* (already exists|does not exist)": (
        "a connection pooler in front of this server keeps no prepared statements: add `?prepare_threshold=0` to the URL"
    ),
}


def postgres_engine(location: Location, *, transaction_s: float, bulk: bool = False) -> Engine:
    """Return an engine on a server. `transaction_s` limits a statement; with `bulk`, also the pause between two statements."""
    engine = create_engine(
        location.url, execution_options={AT: location}, pool_size=2, max_overflow=2, **server_options(location)
    )
    limit(engine, transaction_s=transaction_s, bulk=bulk)
    close_when_unused(engine)
    sign(engine, transaction_s)
    return engine


def server_options(location: Location) -> dict[str, Any]:
    """Return the arguments of create_engine with which any engine of SQLAlchemy's connects to a server."""
    words: dict[str, Any] = {} if location.sets("connect_timeout") else {"connect_timeout": _CONNECT_S}
    if location.prepare_after != FOUND:
        words["prepare_threshold"] = location.prepare_after or None  # psycopg's None is never
    found = [(_prepare_nothing_behind_a_pooler, "connect")] if location.prepare_after == FOUND else []
    return {"pool_pre_ping": True, "connect_args": words, "pool_events": found}


def limit(engine: Engine, *, transaction_s: float, bulk: bool = False) -> None:
    """Set the limits at the start of every transaction of an engine; they end with it."""
    limits = {
        "lock_timeout": _LOCK_S,
        "statement_timeout": transaction_s,
        "idle_in_transaction_session_timeout": transaction_s if bulk else _IDLE_S,
    }
    settings = (f"set_config('{name}', '{_milliseconds(seconds)}', true)" for name, seconds in limits.items())
    statement = f"SELECT {', '.join(settings)}"

    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(statement).close()

    event.listen(engine, "begin", begin)


def pooler_hint(message: str) -> str | None:
    """Return advice where a driver's message is caused by a pooler, else None.

    >>> pooler_hint("FATAL: unsupported startup parameter: options")[:43]
    'a connection pooler in front of this server'
    >>> pooler_hint("connection refused") is None
    True
    """
    return next((hint for pattern, hint in _HINTS.items() if re.search(pattern, message)), None)


def _prepare_nothing_behind_a_pooler(connection: psycopg.Connection, _record: object) -> None:
    """Disable prepared statements behind a pooler: the process number it gives the client differs from the server's."""
    try:
        row = connection.execute("SELECT pg_backend_pid()").fetchone()
        connection.rollback()
    except BaseException:
        connection.close()
        raise
    if row is None or row[0] != connection.info.backend_pid:
        connection.prepare_threshold = None


def _milliseconds(seconds: float) -> int:
    """Return a limit in milliseconds; 0 is no limit."""
    return 0 if math.isinf(seconds) else max(1, min(_LARGEST_MS, round(1000 * seconds)))
