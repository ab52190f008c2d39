"""Run the revisions on a connection.  Alembic loads this file itself, by path, for every command."""

from __future__ import annotations

from alembic import context

from resbench.store.schema.metadata import metadata
from resbench.store.schema.revision import VERSION_TABLE


def run() -> None:
    """Run inside the caller's transaction, so that an upgrade is atomic."""
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=metadata,
        version_table=VERSION_TABLE,
        render_as_batch=True,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


if __name__ == "env_py":  # the name that Alembic gives it; any other import (a doctest run) must not migrate
    run()
