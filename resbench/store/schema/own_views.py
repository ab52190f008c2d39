"""The views of an SQLite file -> those of ours that are missing or differ.  stdlib only, so that `query` starts fast.

Every result is read through our views, so their text must be exactly ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from resbench.errors import DatabaseError
from resbench.store.schema.views import VIEWS

DEFINITIONS = "SELECT name, sql FROM sqlite_master WHERE type = 'view'"
WAY_OUT = "`resbench db upgrade` recreates it"


def wrong_views(found: Iterable[tuple[object, object]]) -> dict[str, str]:
    """Return the fault of each missing or differing view of a file, by the name of the view.

    Args:
        found: the name and the SQL of every view in the file, as DEFINITIONS selects them.
    """
    definitions = {name: sql for name, sql in found if isinstance(name, str)}
    wrong = {}
    for view in VIEWS:
        if view.name not in definitions:  # or its name has capital letters, unlike ours
            wrong[view.name] = f"the view {view.name} is missing"
        elif definitions[view.name] != view.sql.strip():
            wrong[view.name] = f"the view {view.name} is not the one that resbench makes"
    return wrong


def refuse_wrong_views(wrong: Mapping[str, str], shown: str) -> None:
    """Raise DatabaseError for the first wrong view."""
    for what in wrong.values():
        raise DatabaseError(f"{shown}: {what}; the file was left as it is: {WAY_OUT}")
