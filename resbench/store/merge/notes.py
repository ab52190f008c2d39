"""Merge looks at test scores, notes and changes of one database into another, as a multiset union.

So merging twice adds nothing. A row that was deleted in one database only is there afterwards, as is the record of its deletion.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table, select

from resbench.store.merge.catalogue import insert_all
from resbench.store.schema.change_tables import rb_change, rb_note
from resbench.store.schema.tables import rb_reveal

Ids = Mapping[int, int]


def merge_study_notes(source: Connection, into: Connection, studies: tuple[int, int]) -> None:
    """Merge the looks and notes of a study. `studies` are its ids in the source and in the target."""
    for table in (rb_reveal, rb_note):
        _unite(source, into, table, ("study_id", dict([studies])))


def merge_changes(source: Connection, into: Connection, runs: Ids) -> None:
    """Merge the notes on runs and the changes. `runs` maps ids in the source to ids in the target."""
    _unite(source, into, rb_note, ("run_id", runs))
    _unite(source, into, rb_change)


def _unite(source: Connection, into: Connection, table: Table, of: tuple[str, Ids] | None = None) -> None:
    """Merge a table. `of` restricts it to rows by a column of ids, with a map from ids in the source to those in the target."""
    there, here = (
        _rows(source, table, of),
        _rows(into, table, None if of is None else (of[0], {i: i for i in of[1].values()})),
    )
    new = (there - here).elements()
    time = next(name for name in table.c.keys() if name.endswith("ed_at"))  # noqa: SIM118  (a collection of columns)
    insert_all(into, table, sorted(map(dict, new), key=lambda row: str(row[time])))


def _rows(connection: Connection, table: Table, of: tuple[str, Ids] | None) -> Counter[tuple[tuple[str, Any], ...]]:
    columns = [column for column in table.c if column.name != "id"]
    query = select(*columns)
    if of is not None:
        name, ids = of
        query = query.where(table.c[name].is_not(None))
        rows = [{**row, name: ids[row[name]]} for row in connection.execute(query).mappings() if row[name] in ids]
    else:
        rows = [dict(row) for row in connection.execute(query).mappings()]
    return Counter(tuple(row.items()) for row in rows)
