"""Verify, before a merge is committed, that it lost no row of the database.

A merge may add rows, fill in NULLs, extend a study, and replace a run by a better one of the same identity. Everything else must
be unchanged: so neither a defect of resbench nor a trigger in the database loses a row silently.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

from sqlalchemy import Connection, Row, Table, select

from resbench.errors import DatabaseError
from resbench.store.schema.metadata import metadata
from resbench.store.schema.tables import (
    rb_architecture,
    rb_cost,
    rb_data,
    rb_epoch,
    rb_run_plan,
    rb_study,
    rb_test_score,
    rb_weights,
)
from resbench.store.schema.work_tables import WORK_TABLES

Key = tuple[object, ...]
Held = Mapping[str, Mapping[Key, bytes]]  # table -> key of a row -> digest of the row
_GROWS = {  # columns that may be filled in or extended
    rb_architecture.name: ("params", "depth"),
    rb_cost.name: ("macs", "memory_mib"),
    rb_data.name: ("input_shape", "classes", "n_train", "n_val", "n_test"),
    rb_study.name: ("spec", "digest", "updated_at"),
}
# A merge does not write to the tables of work under way, while workers on a server do. Referenced tables come first, in the order
# in which a run is saved: with locks in this order no two transactions wait for each other.
MERGED_TABLES = tuple(table for table in metadata.sorted_tables if table.name not in WORK_TABLES)
_OF_RUNS = (rb_epoch.name, rb_test_score.name, rb_run_plan.name, rb_weights.name)  # their key begins with the run's id


def rows_held(connection: Connection) -> Held:
    """Return the digest of every row of the tables that a merge may write."""
    return {table.name: _rows(connection, table) for table in MERGED_TABLES}


def _rows(connection: Connection, table: Table) -> dict[Key, bytes]:
    keys = list(table.primary_key.columns)
    rest = [c for c in table.columns if not c.primary_key and c.name not in _GROWS.get(table.name, ())]
    return {tuple(row[: len(keys)]): _digest(row) for row in connection.execute(select(*keys, *rest))}


def _digest(row: Row[tuple[object, ...]]) -> bytes:
    return blake2b(repr(tuple(row)).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def refuse_loss(connection: Connection, before: Held, replaced: set[int], where: str) -> None:
    """Raise DatabaseError where an earlier row is gone or has changed. `replaced` are the ids of runs replaced by better ones."""
    for table in MERGED_TABLES:
        after = _rows(connection, table)
        own = table.name == "rb_run" or table.name in _OF_RUNS
        for key, digest in before[table.name].items():
            if after.get(key) != digest and not (own and key[0] in replaced):
                name = " ".join(map(str, key))
                what = "is gone" if key not in after else "has changed"
                raise DatabaseError(
                    f"{where}: {table.name} {name} {what} in the merge; nothing was merged, and the database is as it was"
                )
