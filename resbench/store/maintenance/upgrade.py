"""A database with an older schema -> the same with the newest, whole or not at all; of a file, a copy is kept first."""

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
from resbench.store.open import connect, found_revision
from resbench.store.schema.revision import REVISIONS, check_revision
from resbench.store.schema.view_repair import drop_views, find_wrong_views


@dataclass(frozen=True, slots=True)
class UpgradeReport:
    """What an upgrade did.

    Attributes:
        found: the schema that was there.
        now: the schema that is there.
        copy: where the database of before is.
        no_reader: why nobody can ask there.
        views: names of the views that were missing or not ours, and were made anew.
    """

    found: str
    now: str
    copy: Path | None
    no_reader: str | None
    views: tuple[str, ...] = ()


def upgrade_database(url: str) -> UpgradeReport:
    """Raises DatabaseError for a database without results of ours, or of a schema that this version does not know.

    It has no limit of time: what an upgrade cannot finish could never be used again. What is newest already is left as it is,
    but for views of ours that are missing or say something else: they are made anew. Of a server, the reader of `resbench query`
    is made or renewed all the same.
    """
    location = locate(url)
    if location.path is not None:
        check_file(location, create=False, transaction_s=NONE)
        check_file(location, create=True, transaction_s=NONE)  # the whole file, before anything is changed
    engine = connect(location, create=False, transaction_s=NONE, bulk=True)
    try:
        with writing(engine) as connection:
            lock_schema(connection)
            found = found_revision(connection)
            if found is None or found not in REVISIONS:
                check_revision(found, location.shown)
                raise DatabaseError(f"{location.shown}: has no schema that can be upgraded")
            newest = found == REVISIONS[-1]
            wrong = tuple(find_wrong_views(connection)) if newest else ()
            if newest and not wrong and location.path is not None:
                return UpgradeReport(found, found, None, None)
            copy = _keep(location, found)  # while nobody else can write
            if not newest and location.path is not None:
                drop_views(connection)  # a stranger's would be in the way of the revisions; all are made again
            from resbench.store.migrate.upgrade import upgrade  # alembic takes 0.4 s to import

            return UpgradeReport(found, REVISIONS[-1], copy, upgrade(connection), wrong)
    finally:
        engine.dispose()


def _keep(location: Location, found: str) -> Path | None:
    """`results.db` -> `results.db.0003_v0.1.0`, or with a number behind where something is there, a link too."""
    if location.path is None:
        return None
    for end in ("", *(f".{n}" for n in range(2, 1000))):
        target = location.path.with_name(f"{location.path.name}.{found}{end}")
        if not os.path.lexists(target):
            copy_file(location, target)
            return target
    raise BadInput(f"{location.shown}: a thousand copies of before are kept beside it; move them elsewhere")
