"""Upgrade a database to the newest schema, atomically; a file is copied first."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from resbench.errors import BadInput, DatabaseError
from resbench.store.connection.dialect import lock_schema
from resbench.store.connection.limits import NONE
from resbench.store.connection.location import Location, locate
from resbench.store.connection.sqlite import check_file
from resbench.store.connection.transaction import writing
from resbench.store.maintenance.backup import copy_file
from resbench.store.open import connect, read_revision
from resbench.store.schema.revision import REVISIONS, check_revision
from resbench.store.schema.view_repair import drop_views, find_wrong_views


@dataclass(frozen=True, slots=True)
class UpgradeReport:
    """The result of an upgrade.

    Attributes:
        found: the schema before the upgrade.
        now: the schema after it.
        copy: the path of the copy that was made before.
        no_reader: why `resbench query` cannot be served there; None where it can.
        views: the names of views that were missing or foreign, and were recreated.
    """

    found: str
    now: str
    copy: Path | None
    no_reader: str | None
    views: tuple[str, ...] = ()


def upgrade_database(url: str) -> UpgradeReport:
    """Upgrade a database. Raises DatabaseError for one without results of resbench's, or with an unknown schema.

    There is no time limit: a database whose upgrade cannot finish could never be used again. A database of the newest schema
    stays unchanged, but missing or foreign views are recreated, and on a server the reader of `resbench query` is renewed.
    """
    location = locate(url)
    if location.path is not None:
        check_file(location, create=False, transaction_s=NONE)
        check_file(location, create=True, transaction_s=NONE)  # the whole file, before anything is changed
    engine = connect(location, create=False, transaction_s=NONE, bulk=True)
    try:
        with writing(engine) as connection:
            lock_schema(connection)
            found = read_revision(connection)
            if found is None or found not in REVISIONS:
                check_revision(found, location.shown)
                raise DatabaseError(f"{location.shown}: expected a schema that can be upgraded, got none")
            newest = found == REVISIONS[-1]
            wrong = tuple(find_wrong_views(connection)) if newest else ()
            if newest and not wrong and location.path is not None:
                return UpgradeReport(found, found, None, None)
            copy = _keep(location, found)  # while no other process can write
            if not newest and location.path is not None:
                drop_views(connection)  # a foreign one would block the revisions; all are recreated
            from resbench.store.migrate.upgrade import upgrade  # alembic takes 0.4 s to import

            return UpgradeReport(found, REVISIONS[-1], copy, upgrade(connection), wrong)
    finally:
        engine.dispose()


def _keep(location: Location, found: str) -> Path | None:
    """Copy `results.db` to `results.db.0003_v0.1.0`, or with a number after it where that exists, even as a link."""
    if location.path is None:
        return None
    for end in ("", *(f".{n}" for n in range(2, 1000))):
        target = location.path.with_name(f"{location.path.name}.{found}{end}")
        if not os.path.lexists(target):
            copy_file(location, target)
            return target
    raise BadInput(f"{location.shown}: a thousand earlier copies are beside it; move them elsewhere")
