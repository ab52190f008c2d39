"""Connection in a writing transaction -> the same database with the newest schema, in that transaction."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.schema import SetColumnComment

from resbench.store.tables import metadata

HERE = Path(__file__).parent


def upgrade(connection: Connection, revision: str = "head") -> None:
    command.upgrade(alembic_config(connection), revision)
    if connection.dialect.supports_comments:  # Postgres; the words are documentation, so no revision holds them
        for table in metadata.tables.values():
            for column in table.columns:
                connection.execute(SetColumnComment(column))


def alembic_config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
