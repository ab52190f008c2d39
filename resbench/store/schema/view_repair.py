"""A connection to a database -> those of our views that are missing or wrong; and their repair.

A view holds no rows: to replace a foreign one by ours loses only its text. The views of a server are its owner's: there only
missing ones are found and made.
"""

from __future__ import annotations

from sqlalchemy import Connection, inspect, text

from resbench.store.schema.own_views import DEFINITIONS, wrong_views
from resbench.store.schema.views import VIEWS


def find_wrong_views(connection: Connection) -> dict[str, str]:
    """Return the fault of each missing or wrong view of a database of either kind, by the name of the view."""
    if connection.dialect.name == "sqlite":
        return wrong_views((name, sql) for name, sql in connection.execute(text(DEFINITIONS)))
    there = set(inspect(connection).get_view_names())
    return {view.name: f"the view {view.name} is missing" for view in VIEWS if view.name not in there}


def remake_views(connection: Connection) -> None:
    """Recreate every view that is missing or wrong. The transaction must be a writing one."""
    wrong = find_wrong_views(connection)
    for view in VIEWS:
        if view.name in wrong:
            connection.execute(text(f"DROP VIEW IF EXISTS {view.name}"))
            connection.execute(text(view.sql))


def drop_views(connection: Connection) -> None:
    """Drop all views of a file that have the names of ours."""
    for view in VIEWS:
        connection.execute(text(f"DROP VIEW IF EXISTS {view.name}"))
