"""The catalogue to which runs refer (architecture, cost, recipe, data, environment): one row each, written once, never changed.

Each `put_*` inserts a row if its digest is absent: several workers may insert the same one at once.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, Table, func, select, update

from resbench.errors import BadInput, DatabaseError
from resbench.escape import printable
from resbench.store.connection.dialect import insert_absent
from resbench.store.connection.transaction import explained, reading, shown, writing
from resbench.store.records import (
    ArchitectureRecord,
    DataRecord,
    EnvironmentRecord,
    RecipeRecord,
    canonical_json,
    now,
)
from resbench.store.results.spec_parts import parse_recipe
from resbench.store.schema.tables import rb_architecture, rb_cost, rb_data, rb_environment, rb_recipe
from resbench.store.schema.values import OBJECT, parse_object

if TYPE_CHECKING:
    from resbench.language.recipe.recipe import RecipeSpec


def put_architecture(engine: Engine, architecture: ArchitectureRecord) -> None:
    _put(engine, rb_architecture, asdict(architecture) | {"created_at": now()})


def put_cost(engine: Engine, architecture: str, input_shape: str, macs: int, memory_mib: float | None = None) -> None:
    """Insert a cost. `input_shape` is that of one image, as in the data set's record, such as `1x14x14`."""
    cost = {"architecture": architecture, "input_shape": input_shape, "macs": macs, "memory_mib": memory_mib}
    _put(engine, rb_cost, cost)


def has_cost(engine: Engine, architecture: str, input_shape: str) -> bool:
    same = (rb_cost.c.architecture == architecture) & (rb_cost.c.input_shape == input_shape)
    with reading(engine) as connection:
        return connection.execute(select(rb_cost.c.macs).where(same)).first() is not None


def put_recipe(engine: Engine, recipe: RecipeRecord) -> None:
    _put(engine, rb_recipe, asdict(recipe))


def put_data(engine: Engine, data: DataRecord) -> None:
    """Insert a data set, or update its settings: they say where the data are, and a folder may have moved."""
    settings = canonical_json(dict(data.settings))
    with writing(engine) as connection:
        insert_absent(connection, rb_data, asdict(data) | {"settings": settings})
        same = rb_data.c.digest == data.digest
        connection.execute(update(rb_data).where(same).values(settings=settings))
        if data.largest_class_error_pct is not None:  # a row of an older version lacks it
            values = {"largest_class_error_pct": data.largest_class_error_pct}
            connection.execute(update(rb_data).where(same).values(values))


def put_environment(engine: Engine, environment: EnvironmentRecord) -> str:
    """Insert an environment, and return its digest for the runs."""
    values = asdict(environment) | {"digest": environment.digest, "plugins": canonical_json(dict(environment.plugins))}
    _put(engine, rb_environment, values)
    return environment.digest


def get_architecture(engine: Engine, digest: str) -> ArchitectureRecord:
    """Return the architecture with this digest, or the only one whose digest starts with it. Raises BadInput."""
    table = rb_architecture
    start = func.substr(table.c.digest, 1, len(digest)) == digest
    with reading(engine) as connection:
        rows = connection.execute(select(table).where(table.c.digest == digest)).mappings().all()
        if not rows:  # this query scans the whole table
            rows = connection.execute(select(table).where(start).order_by(table.c.digest).limit(3)).mappings().all()
    if not rows or not digest:
        raise BadInput(
            f"{shown(engine)}: no architecture has the digest {printable(repr(digest))}; "
            "`resbench results top STUDY` shows digests"
        )
    if len(rows) > 1 and rows[0]["digest"] != digest:
        raise BadInput(
            f"{shown(engine)}: several architectures have a digest that starts with {printable(repr(digest))}; give more of it"
        )
    with explained(engine):
        OBJECT.check(f"rb_architecture {rows[0]['digest']}: spec", rows[0]["spec"])
    return ArchitectureRecord(**{name: rows[0][name] for name in ArchitectureRecord.__slots__})


def get_recipe(engine: Engine, digest: str) -> RecipeRecord:
    record = RecipeRecord(**_get(engine, rb_recipe, digest))
    with explained(engine):
        OBJECT.check(f"rb_recipe {digest}: spec", record.spec)
    return record


def stored_recipe(engine: Engine, digest: str) -> RecipeSpec:
    """Return the recipe as an object. Raises like get_recipe, and DatabaseError for an invalid recipe."""
    from resbench.language.recipe.recipe import (
        recipe_from_json,  # pydantic's models take 0.2 s, and only training needs them
    )

    try:
        return recipe_from_json(get_recipe(engine, digest).spec)
    except (ValueError, TypeError) as error:
        raise DatabaseError(
            f"{shown(engine)}: rb_recipe {digest}: spec: no recipe: {printable(' '.join(str(error).split()), 300)}"
        ) from None


def recipe_spec(engine: Engine, digest: str) -> dict[str, Any]:
    """Return the spec of a recipe as plain data. Raises BadInput, and DatabaseError for an invalid row."""
    with explained(engine):
        return parse_recipe(get_recipe(engine, digest).spec, f"rb_recipe {digest}: spec")


def get_data(engine: Engine, digest: str) -> DataRecord:
    return DataRecord(**_get(engine, rb_data, digest, "settings"))


def get_environment(engine: Engine, digest: str) -> EnvironmentRecord:
    values = _get(engine, rb_environment, digest, "plugins")
    del values["digest"]
    return EnvironmentRecord(**values)


def _put(engine: Engine, table: Table, values: dict[str, Any]) -> None:
    with writing(engine) as connection:
        insert_absent(connection, table, values)


def _get(engine: Engine, table: Table, digest: str, *parsed: str) -> dict[str, Any]:
    """Return a row by its digest. The columns `parsed` hold JSON objects."""
    with reading(engine) as connection:
        row = connection.execute(select(table).where(table.c.digest == digest)).mappings().first()
        if row is None:
            raise DatabaseError(
                f"{shown(engine)}: holds no {table.name.removeprefix('rb_')} with the digest {printable(digest)}, to which its "
                "rows refer; `resbench db check` lists all faults"
            )
        return dict(row) | {name: parse_object(row[name] or "{}", f"{table.name} {digest}: {name}") for name in parsed}
