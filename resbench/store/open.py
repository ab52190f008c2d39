"""`--db` text -> Engine on a database that was checked first.  Making the schema happens here alone; upgrade.py renews it."""

from __future__ import annotations

from sqlalchemy import Connection, inspect, text
from sqlalchemy import Engine as Engine
from sqlalchemy.exc import ArgumentError

from resbench.errors import DatabaseError
from resbench.store.connection.dialect import lock_schema, set_journal, sqlite_engine
from resbench.store.connection.limits import limit_of
from resbench.store.connection.location import Location, locate
from resbench.store.connection.postgres import postgres_engine
from resbench.store.connection.sqlite import check_file
from resbench.store.connection.transaction import reading, writing
from resbench.store.schema.own_views import refuse_wrong_views
from resbench.store.schema.revision import VERSION_TABLE, check_revision
from resbench.store.schema.view_repair import find_wrong_views


def open_store(url: str, *, create: bool, transaction_s: float | None = None, bulk: bool = False) -> Engine:
    """Return the engine of a database with the newest schema; raises DatabaseError before anything is changed.

    `create=True` is for commands that write: it makes the file and our tables where there are none (Optuna's own may be
    there), and writes once without changing anything, so that a read-only database is found before any training. A database of
    an older schema is never upgraded in passing: it is refused, with the command that does it.
    `create=False` is for commands that read: nothing is made, and a missing file is an error.
    A file that holds triggers, or anything else in the place of what is ours, is refused. `transaction_s`: what one transaction
    may take at most, as limit_of has it. `bulk`: for work on all rows, during which a server waits for the client as long.
    """
    location = locate(url)
    engine = connect(location, create=create, transaction_s=transaction_s, bulk=bulk)
    try:
        if create:
            with writing(engine) as connection:
                _make_or_check(connection, location)
        else:
            with reading(engine) as connection:
                check_revision(found_revision(connection), location.shown)
                _check_views(connection, location)
    except BaseException:
        engine.dispose()
        raise
    return engine


def found_revision(connection: Connection) -> object:
    """Return the revision that stands in the database, None where resbench has written nothing yet; of a stranger's,
    anything.
    """
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()


def _check_views(connection: Connection, location: Location) -> None:
    """Results are read through our views; of a file, they must be ours to the letter. A server's are its owner's."""
    if location.path is not None:
        refuse_wrong_views(find_wrong_views(connection), location.shown)


def connect(location: Location, *, create: bool, transaction_s: float | None = None, bulk: bool = False) -> Engine:
    """Return an engine on a database of ours of whatever schema."""
    limit_s = limit_of(transaction_s)
    if location.path is not None:
        check_file(location, create=create, transaction_s=limit_s)
        if create and not location.read_only:
            set_journal(location)
        return sqlite_engine(location, create=create, transaction_s=limit_s)
    try:
        return postgres_engine(location, transaction_s=limit_s, bulk=bulk)
    except ModuleNotFoundError:
        raise DatabaseError(f"{location.shown}: needs the driver psycopg; `pip install psycopg[binary]`") from None
    except (ArgumentError, ValueError):
        raise DatabaseError(
            f"{location.shown}: is no URL of a database, such as `postgresql://user@host/name`"
        ) from None


def _make_or_check(connection: Connection, location: Location) -> None:
    lock_schema(connection)
    found = found_revision(connection)
    if found is None:
        from resbench.store.migrate.upgrade import upgrade  # alembic takes 0.4 s to import, and only this needs it

        upgrade(connection)
        found = found_revision(connection)
    check_revision(found, location.shown)
    _check_views(connection, location)
    # Changes nothing, but fails where nothing can be written: a lock alone is given on a read-only file too.
    connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = version_num"))
