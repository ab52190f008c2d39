"""Upgrade a database to the newest schema, in the writing transaction of a connection."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.schema import SetColumnComment

from resbench.store.schema.metadata import metadata
from resbench.store.schema.postgres_role import make_reader
from resbench.store.schema.view_repair import remake_views

HERE = Path(__file__).parent


def upgrade(connection: Connection) -> str | None:
    """Upgrade. Return why `resbench query` cannot be served, on a server where its reader cannot be made; else None."""
    command.upgrade(alembic_config(connection), "head")
    remake_views(connection)
    if not connection.dialect.supports_comments:
        return None
    for table in metadata.tables.values():  # comments are documentation, so no revision holds them
        for column in table.columns:
            connection.execute(SetColumnComment(column))
    return make_reader(connection)


def alembic_config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
