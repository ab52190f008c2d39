"""The views of an SQLite file -> which of ours are missing or say something else.  stdlib only, so that `query` starts fast.

Every result is read through our views, so they must be ours to the letter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from resbench.errors import DatabaseError
from resbench.store.schema.views import VIEWS

DEFINITIONS = "SELECT name, sql FROM sqlite_master WHERE type = 'view'"
WAY_OUT = "`resbench db upgrade` makes it anew"


def wrong_views(found: Iterable[tuple[object, object]]) -> dict[str, str]:
    """Return what is wrong with the views of a file, in words, by the name of the view.

    Args:
        found: name and SQL of every view in the file, as DEFINITIONS selects them.
    """
    definitions = {name: sql for name, sql in found if isinstance(name, str)}
    wrong = {}
    for view in VIEWS:
        if view.name not in definitions:  # or it has capital letters, which ours have not
            wrong[view.name] = f"the view {view.name} is missing"
        elif definitions[view.name] != view.sql.strip():
            wrong[view.name] = f"the view {view.name} is not the one that resbench makes"
    return wrong


def refuse_wrong_views(wrong: Mapping[str, str], shown: str) -> None:
    """Raises DatabaseError for the first of them."""
    for what in wrong.values():
        raise DatabaseError(f"{shown}: {what}; the file was left as it is: {WAY_OUT}")
