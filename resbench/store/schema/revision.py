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
    raise DatabaseError(
        f"{shown}: schema: expected {known[-1]}, which is the newest that this resbench ({__version__}) knows, "
        f"got the newer schema {found}; {_what_to_install(found)}"
    )


def _what_to_install(found: str) -> str:
    """Return what reads a schema that this program does not know.

    Its id names a version that does not help who has it already: a build between two releases may be of the same version.
    """
    needs = found.partition("_v")[2]
    if _numbers(needs) > _numbers(__version__):
        return f"upgrade resbench to {needs} or later"
    return f"upgrade resbench to a later version than {__version__}, or to the build that wrote the database"


def _numbers(version: str) -> tuple[int, ...]:
    """Return a version's numbers; nothing for a text that is no version.

    >>> _numbers("1.4.0"), _numbers("x")
    ((1, 4, 0), ())
    """
    parts = version.split(".")
    return tuple(map(int, parts)) if all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts) else ()
