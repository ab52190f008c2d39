"""The text of `--db` -> an Engine on a checked database.  Only this file makes the schema; upgrade.py upgrades it."""

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
    """Return the engine of a database with the newest schema. Raises DatabaseError before anything is changed.

    A database of an older schema is never upgraded implicitly: it is refused, with the command that upgrades it. A file with
    triggers, or with foreign objects under our names, is refused too.

    Args:
        create: True for commands that write: the file and our tables are made where they are missing (Optuna's may be there), and
            one write changes nothing, so that a read-only database is found before any training. False for commands that read:
            nothing is made, and a missing file is an error.
        transaction_s: the limit of a transaction, as in limit_of.
        bulk: for work on all rows, a server then also waits that long for the client.
    """
    location = locate(url)
    engine = connect(location, create=create, transaction_s=transaction_s, bulk=bulk)
    try:
        if create:
            with writing(engine) as connection:
                _make_or_check(connection, location)
        else:
            with reading(engine) as connection:
                check_revision(read_revision(connection), location.shown)
                _check_views(connection, location)
    except BaseException:
        engine.dispose()
        raise
    return engine


def read_revision(connection: Connection) -> object:
    """Return the revision of the database, None where resbench has written nothing yet; a foreign database may hold any value."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()


def _check_views(connection: Connection, location: Location) -> None:
    """Check the views of a file, which must be exactly ours, since results are read through them. A server's are its owner's."""
    if location.path is not None:
        refuse_wrong_views(find_wrong_views(connection), location.shown)


def connect(location: Location, *, create: bool, transaction_s: float | None = None, bulk: bool = False) -> Engine:
    """Return an engine on a database of resbench's, of any schema."""
    limit_s = limit_of(transaction_s)
    if location.path is not None:
        check_file(location, create=create, transaction_s=limit_s)
        if create and not location.read_only:
            set_journal(location)
        return sqlite_engine(location, create=create, transaction_s=limit_s)
    try:
        return postgres_engine(location, transaction_s=limit_s, bulk=bulk)
    except ModuleNotFoundError:
        raise DatabaseError(f"{location.shown}: requires the driver psycopg; `pip install psycopg[binary]`") from None
    except (ArgumentError, ValueError):
        raise DatabaseError(
            f"{location.shown}: expected the URL of a database, such as `postgresql://user@host/name`"
        ) from None


def _make_or_check(connection: Connection, location: Location) -> None:
    lock_schema(connection)
    found = read_revision(connection)
    if found is None:
        from resbench.store.migrate.upgrade import upgrade  # alembic takes 0.4 s to import, and only this needs it

        upgrade(connection)
        found = read_revision(connection)
    check_revision(found, location.shown)
    _check_views(connection, location)
    # It changes nothing, but fails where nothing can be written: a lock alone is granted on a read-only file too.
    connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = version_num"))
