"""Check the revision of a database, with a DatabaseError that says what to do.  Imports no alembic (0.4 s)."""

from __future__ import annotations

from collections.abc import Sequence

from resbench import __version__
from resbench.errors import DatabaseError

# Oldest first; a test holds this equal to migrate/versions/. The id carries the first version of resbench that knows it,
# so that an older program can name the version a newer file needs.
REVISIONS = (
    "0001_v0.1.0", "0002_v0.1.0", "0003_v0.1.0", "0004_v0.1.0", "0005_v0.1.0", "0006_v0.1.0", "0007_v0.1.0", "0008_v0.1.0",
    "0009_v0.1.0",
)  # fmt: skip
SEALED_SINCE = "0008_v0.1.0"  # test scores were numbers before
VERSION_TABLE = "rb_alembic_version"  # `alembic_version` is Optuna's


def check_revision(found: object, shown: str, known: Sequence[str] = REVISIONS) -> None:
    """Raise DatabaseError unless `found` is the newest revision of `known`."""
    if found == known[-1]:
        return
    if found is None:
        raise DatabaseError(f"{shown}: holds no results of resbench yet; `resbench study run` writes the first")
    if not isinstance(found, str):
        raise DatabaseError(
            f"{shown}: expected a text as the name of its schema, got another value; it was left as it is"
        )
    if found in known:
        raise DatabaseError(
            f"{shown}: has the older schema {found}, resbench {__version__} needs {known[-1]}; "
            "it was left as it is: `resbench db upgrade` keeps a copy and upgrades it"
        )
    needs = found.partition("_v")[2]
    raise DatabaseError(
        f"{shown}: has the newer schema {found}, resbench {__version__} knows up to {known[-1]}; "
        f"it needs resbench {needs or 'of a later version'}{' or later' if needs else ''}"
    )
