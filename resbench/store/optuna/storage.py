"""The text of `--db` -> Optuna's storage in the same database, beside our tables.  Only this file of the store imports Optuna.

On a server it connects with the arguments and limits of our engine. On SQLite each of its transactions begins IMMEDIATE: else
Optuna gives one waiting trial to several processes, and gets "database is locked" where a deferred transaction starts to write.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Engine
from sqlalchemy.exc import SQLAlchemyError

from resbench.errors import DatabaseError
from resbench.files import is_filled, make_private
from resbench.store.connection.dialect import begin_immediate, close_when_unused
from resbench.store.connection.limits import limit_of
from resbench.store.connection.location import Location, locate
from resbench.store.connection.postgres import limit, server_options
from resbench.store.connection.sqlite import BUSY_TIMEOUT_S, check_file
from resbench.store.connection.sqlite_open import connect
from resbench.store.connection.transaction import explain, location_of

if TYPE_CHECKING:
    from optuna.storages import RDBStorage

_ATTEMPTS = 5


def optuna_storage(url: str) -> RDBStorage:
    """Make or open Optuna's tables, before or after ours, with Optuna's log silenced. Raises DatabaseError."""
    import optuna  # takes 0.3 s, which reading commands save

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    location = locate(url)
    if location.path is None:
        storage = _open(location, location.url, server_options(location))
        limit(storage.engine, transaction_s=limit_of())
        close_when_unused(storage.engine)
        return storage
    check_file(location, create=not is_filled(location.path))
    if not location.read_only:
        make_private(location.path)
    uri = location.sqlite_uri("rw")
    # The URL determines the dialect, and its name in Optuna's errors; `connect` opens the file.
    named = URL.create("sqlite", database=uri, query={"uri": "true"}).render_as_string()
    storage = _open(location, named, {"creator": lambda: connect(uri, timeout_s=BUSY_TIMEOUT_S, any_thread=True)})
    # Not earlier: while the tables are made, Optuna opens a second connection inside a transaction of the first.
    storage.engine.dispose()
    begin_immediate(storage.engine)
    return storage


@contextmanager
def optuna_explained(engine: Engine) -> Iterator[None]:
    """Turn errors of Optuna's storage into ours; other errors pass unchanged."""
    from optuna.exceptions import StorageInternalError

    location = location_of(engine)
    try:
        yield
    except SQLAlchemyError as error:
        raise explain(error, location) from None
    except StorageInternalError as error:
        cause = error.__cause__ or error.__context__
        if isinstance(cause, SQLAlchemyError):
            raise explain(cause, location) from None
        raise DatabaseError(f"{location.shown}: Optuna cannot use it: {location.conceal(str(error))}") from None


def _open(location: Location, url: str, options: dict[str, Any]) -> RDBStorage:
    from optuna.exceptions import StorageInternalError
    from optuna.storages import RDBStorage

    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return RDBStorage(url, engine_kwargs=options)
        except (SQLAlchemyError, StorageInternalError) as error:
            # Of two processes that make the tables at once, one gets an error that they exist, and finds them on the next try.
            if attempt == _ATTEMPTS:
                cause = error if isinstance(error, SQLAlchemyError) else error.__cause__
                if isinstance(cause, SQLAlchemyError):
                    raise explain(cause, location) from None
                raise DatabaseError(f"{location.shown}: Optuna cannot use it: {location.conceal(str(error))}") from None
        except ImportError:
            raise DatabaseError(
                f"{location.shown}: requires the driver psycopg; `pip install psycopg[binary]`"
            ) from None
        except Exception as error:  # Optuna and its migrations may raise anything on foreign tables
            raise DatabaseError(
                f"{location.shown}: Optuna cannot use its tables: {location.conceal(str(error)) or type(error).__name__}"
            ) from None
    raise AssertionError("unreachable")
