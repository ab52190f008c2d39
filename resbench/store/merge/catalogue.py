"""Catalogue rows of one database -> another's, by digest.  The first to say something stands; what it left open is filled in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Table, and_, insert, select, update

from resbench.store.merge.conflicts import Conflict, MergeReport
from resbench.store.schema.tables import rb_architecture, rb_cost, rb_data, rb_environment, rb_recipe

# A table, and its columns that one key can have one value of only. Names and times may differ; so may how data are got at.
_SAID = (
    (rb_architecture, ("params", "depth")),
    (rb_recipe, ()),
    (rb_data, ("input_shape", "classes", "n_train", "n_val", "n_test")),
    (rb_environment, ()),
    (rb_cost, ("macs", "memory_mib")),
)
CHUNK = 500  # rows of one statement, and of one look


def merge_catalogue(source: Connection, into: Connection, merged: MergeReport) -> None:
    for table, said in _SAID:
        keys = [column.name for column in table.primary_key.columns]
        there = {_key(row, keys): row for row in into.execute(select(table)).mappings()}
        new: list[dict[str, Any]] = []
        for row in source.execute(select(table)).mappings():
            stands = there.get(_key(row, keys))
            if stands is None:
                new.append(dict(row))
            else:
                _compare(into, table, said, (stands, row), merged)
        insert_all(into, table, new)


def insert_all(into: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    for start in range(0, len(rows), 10 * CHUNK):
        into.execute(insert(table), rows[start : start + 10 * CHUNK])


def _key(row: RowMapping, keys: Sequence[str]) -> tuple[Any, ...]:
    return tuple(row[name] for name in keys)


def _compare(
    into: Connection, table: Table, said: Sequence[str], pair: tuple[RowMapping, RowMapping], merged: MergeReport
) -> None:
    stands, other = pair
    keys = [column.name for column in table.primary_key.columns]
    what = f"{table.name.removeprefix('rb_')} {' '.join(str(stands[name]) for name in keys)}"
    for name in said:
        if stands[name] is None and other[name] is not None:
            same = and_(*(table.c[key] == stands[key] for key in keys))
            into.execute(update(table).where(same).values({name: other[name]}))
        elif other[name] is not None and stands[name] != other[name]:
            merged.conflicts.append(Conflict(what, name, stands[name], other[name]))
