"""Kinds of columns, each with the comment that says what it is.

Times are text, UTC, `2026-11-23T19:21:51Z`, so that they sort and mean the same in SQLite and Postgres. Digests are text.
JSON is text in canonical form. A number that is not finite is stored as NULL.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Double, ForeignKey, Integer, MetaData, Text

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def text(name: str, comment: str, *, nullable: bool = False, refers: str = "", key: bool = False) -> Column[Any]:
    links = (ForeignKey(refers),) if refers else ()
    return Column(name, Text, *links, primary_key=key, nullable=nullable, comment=comment)


def count(name: str, comment: str, *, nullable: bool = False, refers: str = "", key: bool = False) -> Column[Any]:
    links = (ForeignKey(refers),) if refers else ()
    return Column(name, Integer, *links, primary_key=key, autoincrement=False, nullable=nullable, comment=comment)


def big(name: str, comment: str) -> Column[Any]:
    return Column(name, BigInteger, nullable=False, comment=comment)


def number(name: str, comment: str) -> Column[Any]:
    return Column(name, Double, comment=comment)


def moment(name: str, comment: str, *, nullable: bool = False) -> Column[Any]:
    """Seconds since 1970 by the clock of the database, which all machines share."""
    return Column(name, Double, nullable=nullable, comment=f"{comment}, seconds since 1970 by the database's clock")


def row_id() -> Column[Any]:
    return Column("id", Integer, primary_key=True, comment="number given by the database")


def identity(*, key: bool = False) -> tuple[Column[Any], Column[Any], Column[Any]]:
    return (
        text("architecture", "digest of the architecture", refers="rb_architecture.digest", key=key),
        text("recipe", "digest of the recipe", refers="rb_recipe.digest", key=key),
        text("data", "digest of the data set", refers="rb_data.digest", key=key),
    )


MADE = "when the row was written, UTC"
