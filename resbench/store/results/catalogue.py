"""What runs refer to (architecture, cost, recipe, data, environment) -> one row each, written once and never changed.

Each `put_*` inserts if absent, keyed by digest: several workers may put the same thing at once.
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
    """`input_shape` of one image as the data set's record writes it, such as `1x14x14`."""
    cost = {"architecture": architecture, "input_shape": input_shape, "macs": macs, "memory_mib": memory_mib}
    _put(engine, rb_cost, cost)


def has_cost(engine: Engine, architecture: str, input_shape: str) -> bool:
    same = (rb_cost.c.architecture == architecture) & (rb_cost.c.input_shape == input_shape)
    with reading(engine) as connection:
        return connection.execute(select(rb_cost.c.macs).where(same)).first() is not None


def put_recipe(engine: Engine, recipe: RecipeRecord) -> None:
    _put(engine, rb_recipe, asdict(recipe))


def put_data(engine: Engine, data: DataRecord) -> None:
    """Settings say how to get at the data, so the newest stand: a folder may have moved."""
    settings = canonical_json(dict(data.settings))
    with writing(engine) as connection:
        insert_absent(connection, rb_data, asdict(data) | {"settings": settings})
        same = rb_data.c.digest == data.digest
        connection.execute(update(rb_data).where(same).values(settings=settings))
        if data.largest_class_error_pct is not None:  # an older version did not write it
            values = {"largest_class_error_pct": data.largest_class_error_pct}
            connection.execute(update(rb_data).where(same).values(values))


def put_environment(engine: Engine, environment: EnvironmentRecord) -> str:
    """Return its digest, which a run carries."""
    values = asdict(environment) | {"digest": environment.digest, "plugins": canonical_json(dict(environment.plugins))}
    _put(engine, rb_environment, values)
    return environment.digest


def get_architecture(engine: Engine, digest: str) -> ArchitectureRecord:
    """Return the architecture with this digest, or with the only digest that starts so. Raises BadInput."""
    table = rb_architecture
    start = func.substr(table.c.digest, 1, len(digest)) == digest
    with reading(engine) as connection:
        rows = connection.execute(select(table).where(table.c.digest == digest)).mappings().all()
        if not rows:  # this one walks over all of them
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
    """Return the recipe itself. Raises as get_recipe, and DatabaseError for one that no file could say."""
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
    """Return what the recipe says, as plain data. Raises BadInput, and DatabaseError for a row that cannot be one of ours."""
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
    """`parsed`: columns that hold a JSON object."""
    with reading(engine) as connection:
        row = connection.execute(select(table).where(table.c.digest == digest)).mappings().first()
        if row is None:
            raise DatabaseError(
                f"{shown(engine)}: holds no {table.name.removeprefix('rb_')} of the digest {printable(digest)}, to which its "
                "rows refer; `resbench db check` says what is wrong"
            )
        return dict(row) | {name: parse_object(row[name] or "{}", f"{table.name} {digest}: {name}") for name in parsed}
