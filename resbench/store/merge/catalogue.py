"""Merge the catalogue rows of one database into another, by digest.  The first value is kept; NULLs are filled in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Table, and_, insert, select, update

from resbench.store.merge.conflicts import Conflict, MergeReport
from resbench.store.schema.tables import rb_architecture, rb_cost, rb_data, rb_environment, rb_recipe

# A table, and the columns whose values must agree for one key. Names and times may differ, and so may settings of data.
_COMPARED = (
    (rb_architecture, ("params", "depth")),
    (rb_recipe, ()),
    (rb_data, ("input_shape", "classes", "n_train", "n_val", "n_test")),
    (rb_environment, ()),
    (rb_cost, ("macs", "memory_mib")),
)
CHUNK = 500  # rows per statement and per query


def merge_catalogue(source: Connection, into: Connection, merged: MergeReport) -> None:
    for table, compared in _COMPARED:
        keys = [column.name for column in table.primary_key.columns]
        there = {_key(row, keys): row for row in into.execute(select(table)).mappings()}
        new: list[dict[str, Any]] = []
        for row in source.execute(select(table)).mappings():
            kept = there.get(_key(row, keys))
            if kept is None:
                new.append(dict(row))
            else:
                _compare(into, table, compared, (kept, row), merged)
        insert_all(into, table, new)


def insert_all(into: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    for start in range(0, len(rows), 10 * CHUNK):
        into.execute(insert(table), rows[start : start + 10 * CHUNK])


def _key(row: RowMapping, keys: Sequence[str]) -> tuple[Any, ...]:
    return tuple(row[name] for name in keys)


def _compare(
    into: Connection, table: Table, compared: Sequence[str], pair: tuple[RowMapping, RowMapping], merged: MergeReport
) -> None:
    kept, other = pair
    keys = [column.name for column in table.primary_key.columns]
    what = f"{table.name.removeprefix('rb_')} {' '.join(str(kept[name]) for name in keys)}"
    for name in compared:
        if kept[name] is None and other[name] is not None:
            same = and_(*(table.c[key] == kept[key] for key in keys))
            into.execute(update(table).where(same).values({name: other[name]}))
        elif other[name] is not None and kept[name] != other[name]:
            merged.conflicts.append(Conflict(what, name, kept[name], other[name]))
