"""Kinds of columns, each with a comment that describes it.

Times are text, UTC, `2026-11-23T19:21:51Z`, so that they sort and mean the same in SQLite and Postgres. Digests are text.
JSON is text in canonical form. A number that is not finite is stored as NULL. Every value is checked by the type of its column
when it is read, since SQLite stores a value of any type in any column: a reader never gets a text where it expects a number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Dialect, Double, ForeignKey, Integer, MetaData, Text, TypeDecorator
from sqlalchemy.types import TypeEngine

from resbench.store.records import TestScore
from resbench.store.results.seal import seal, unseal
from resbench.store.schema.values import (
    FLAG,
    OBJECT,
    SEALED,
    SEEDS,
    SHAPE,
    TAGS,
    TEXT,
    WHOLE,
    Kind,
    number_kind,
    one_of,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


class CheckedType(TypeDecorator[Any]):
    """A type of SQL that raises Reason when it reads a value that no row of ours holds; NULL too, where not `nullable`."""

    impl: type[TypeEngine[Any]] = Text
    cache_ok = True

    def __init__(self, column: str, nullable: bool = True) -> None:
        super().__init__()
        self.column, self.nullable = column, nullable

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return value if value is None and self.nullable else self.kind().check(self.column, value)

    def kind(self) -> Kind:
        return TEXT


class WordType(CheckedType):
    """A text out of a fixed set."""

    cache_ok = True

    def __init__(self, column: str, allowed: tuple[str, ...]) -> None:
        super().__init__(column, nullable=False)
        self.allowed = allowed

    def kind(self) -> Kind:
        return one_of(self.allowed)


class FlagType(CheckedType):
    """A boolean, which SQLite stores as 1 or 0."""

    impl, cache_ok = Boolean, True

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], bool | None]:
        """Check the stored value, since SQLAlchemy's own type turns any value into a boolean."""

        def process(value: Any) -> bool | None:
            checked = self.process_result_value(value, dialect)
            return None if checked is None else bool(checked)

        return process

    def kind(self) -> Kind:
        return FLAG


class IntegerType(CheckedType):
    impl, cache_ok = Integer, True

    def kind(self) -> Kind:
        return WHOLE


class BigIntegerType(IntegerType):
    impl, cache_ok = BigInteger, True


class NumberType(CheckedType):
    impl, cache_ok = Double, True

    def kind(self) -> Kind:
        return number_kind(self.column)


class SealedType(CheckedType):
    """A TestScore, stored as a text that cannot be read by mistake."""

    cache_ok = True

    def process_bind_param(self, value: TestScore | None, dialect: Dialect) -> str | None:
        return None if value is None else seal(value.test_error_pct, value.test_loss)

    def process_result_value(self, value: Any, dialect: Dialect) -> TestScore:
        return TestScore(*unseal(self.kind().check(self.column, value)))  # type: ignore[arg-type]  # the kind is of numbers

    def kind(self) -> Kind:
        return SEALED


_TEXTS = {  # the contents of text columns
    **dict.fromkeys(("spec", "plugins", "settings", "plan", "params", "details"), OBJECT),
    "seeds": SEEDS,
    "tags": TAGS,
    "input_shape": SHAPE,
}


def kind_of(column: Column[Any]) -> Kind:
    """Return the kind of a column's values that are not NULL, with the contents of texts; reading a row checks only types."""
    assert isinstance(column.type, CheckedType)
    return _TEXTS.get(column.name, TEXT) if type(column.type) is CheckedType else column.type.kind()


def text(name: str, comment: str, *, nullable: bool = False, refers: str = "", key: bool = False) -> Column[Any]:
    links = (ForeignKey(refers),) if refers else ()
    return Column(name, CheckedType(name, nullable), *links, primary_key=key, nullable=nullable, comment=comment)


def word(name: str, allowed: tuple[str, ...], comment: str) -> Column[Any]:
    return Column(name, WordType(name, allowed), nullable=False, comment=comment)


def flag(name: str, comment: str, *, nullable: bool = False, default: Any = None) -> Column[Any]:
    """Return a column of flags. `default` is the SQL default of a row without a value."""
    return Column(name, FlagType(name, nullable), nullable=nullable, server_default=default, comment=comment)


def sealed(name: str, comment: str) -> Column[Any]:
    return Column(name, SealedType(name, nullable=False), nullable=False, comment=comment)


def count(name: str, comment: str, *, nullable: bool = False, refers: str = "", key: bool = False) -> Column[Any]:
    links = (ForeignKey(refers),) if refers else ()
    return Column(
        name,
        IntegerType(name, nullable),
        *links,
        primary_key=key,
        autoincrement=False,
        nullable=nullable,
        comment=comment,
    )


def big(name: str, comment: str) -> Column[Any]:
    return Column(name, BigIntegerType(name, nullable=False), nullable=False, comment=comment)


def number(name: str, comment: str) -> Column[Any]:
    return Column(name, NumberType(name), comment=comment)


def moment(name: str, comment: str, *, nullable: bool = False) -> Column[Any]:
    """Return a column of seconds since 1970 by the clock of the database, which all machines share."""
    return Column(
        name,
        NumberType(name, nullable),
        nullable=nullable,
        comment=f"{comment}, seconds since 1970 by the database's clock",
    )


def row_id() -> Column[Any]:
    return Column("id", IntegerType("id", nullable=False), primary_key=True, comment="number given by the database")


def identity(*, key: bool = False) -> tuple[Column[Any], Column[Any], Column[Any]]:
    return (
        text("architecture", "digest of the architecture", refers="rb_architecture.digest", key=key),
        text("recipe", "digest of the recipe", refers="rb_recipe.digest", key=key),
        text("data", "digest of the data set", refers="rb_data.digest", key=key),
    )


MADE = "when the row was written, UTC"
