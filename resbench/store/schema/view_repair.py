"""A connection to a database -> which of our views are missing or wrong, and the same views made anew.

A view holds no rows: to drop one that is another's and to make ours again loses nothing but its text. The views of a server
are its owner's: there only a missing one is found and made.
"""

from __future__ import annotations

from sqlalchemy import Connection, inspect, text

from resbench.store.schema.own_views import DEFINITIONS, wrong_views
from resbench.store.schema.views import VIEWS


def find_wrong_views(connection: Connection) -> dict[str, str]:
    """Return what is wrong with the views of a database of either kind, in words, by the name of the view."""
    if connection.dialect.name == "sqlite":
        return wrong_views((name, sql) for name, sql in connection.execute(text(DEFINITIONS)))
    there = set(inspect(connection).get_view_names())
    return {view.name: f"the view {view.name} is missing" for view in VIEWS if view.name not in there}


def remake_views(connection: Connection) -> None:
    """Make every view anew that is missing or wrong. The transaction must be one that writes."""
    wrong = find_wrong_views(connection)
    for view in VIEWS:
        if view.name in wrong:
            connection.execute(text(f"DROP VIEW IF EXISTS {view.name}"))
            connection.execute(text(view.sql))


def drop_views(connection: Connection) -> None:
    """Drop whatever a file has under the names of our views."""
    for view in VIEWS:
        connection.execute(text(f"DROP VIEW IF EXISTS {view.name}"))
