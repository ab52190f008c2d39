"""Merge the runs of one database into another by identity, with their epochs, test scores and plans; map their ids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Table, delete, insert, select, update

from resbench.store.merge.catalogue import CHUNK, insert_all
from resbench.store.merge.conflicts import Conflict, MergeReport
from resbench.store.records import TERMINAL_STATUSES, TRAINED_STATUSES
from resbench.store.schema.tables import rb_epoch, rb_profile, rb_run, rb_run_plan, rb_test_score, rb_weights

_IDENTITY = ("architecture", "recipe", "data", "seed")
_NUMBERS = (
    "status",
    "val_error_pct",
    "val_loss",
    "train_loss",
    "epochs",
)  # durations depend on the machine, and may differ
_CHILDREN = (rb_epoch, rb_test_score, rb_run_plan, rb_weights)
_TAKEN = frozenset(
    {"run_id", "train_s", "recomputed_val_loss", "recomputed_val_error_pct"}
)  # the last two depend on where a study evaluated runs
Identity = tuple[Any, ...]
Ids = dict[int, int]  # id of a run in the source -> id of the same run in the target


def merge_runs(source: Connection, into: Connection, merged: MergeReport) -> Ids:
    there = {_identity(row): row for row in into.execute(select(rb_run)).mappings()}
    ids: Ids = {}
    rows = source.execute(select(rb_run).order_by(rb_run.c.id)).mappings().all()
    for start in range(0, len(rows), CHUNK):
        some = rows[start : start + CHUNK]
        new = [row for row in some if _identity(row) not in there]
        known = [(there[_identity(row)], row) for row in some if _identity(row) in there]
        better = [(kept, row) for kept, row in known if _rank(row) > _rank(kept)]
        merged.replaced |= {kept["id"] for kept, _ in better}
        taken = _add(into, new) | _replace(into, better)
        _copy_children(source, into, taken)
        both = [(kept, row) for kept, row in known if row["status"] in TRAINED_STATUSES and _rank(row) == _rank(kept)]
        _compare(source, into, both, merged)
        ids |= taken | {row["id"]: kept["id"] for kept, row in known}
        merged.runs_added += len(new)
        merged.runs_replaced += len(better)
        merged.runs_there += len(known) - len(better)
    _merge_profiles(source, into)
    return ids


def _merge_profiles(source: Connection, into: Connection) -> None:
    """Merge the profiles of both sides; where both have one, that of the target is kept."""
    key = list(rb_profile.primary_key.columns)
    there = {tuple(row) for row in into.execute(select(*key))}
    rows = source.execute(select(rb_profile)).mappings()
    insert_all(into, rb_profile, [dict(row) for row in rows if tuple(row[c.name] for c in key) not in there])


def _rank(row: RowMapping) -> tuple[int, int]:
    """Return the sort key of a run's worth: a complete run is above one that was stopped at a rung (a later rung is better), and
    that is above a failed one.
    """
    place = 2 if row["status"] in TERMINAL_STATUSES else int(row["status"] in TRAINED_STATUSES)
    return place, row["epochs"] if place == 1 else 0


def _identity(row: RowMapping) -> Identity:
    return tuple(row[name] for name in _IDENTITY)


def _values(row: RowMapping) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "id"}


def _add(into: Connection, rows: Sequence[RowMapping]) -> Ids:
    if not rows:
        return {}
    given = insert(rb_run).returning(rb_run.c.id, *(rb_run.c[name] for name in _IDENTITY))
    made = {_identity(row): row["id"] for row in into.execute(given, [_values(row) for row in rows]).mappings()}
    return {row["id"]: made[_identity(row)] for row in rows}


def _replace(into: Connection, pairs: Sequence[tuple[RowMapping, RowMapping]]) -> Ids:
    """Replace runs under their id in the target, as runs.write_run does."""
    for kept, row in pairs:
        for table in _CHILDREN:
            into.execute(delete(table).where(table.c.run_id == kept["id"]))
        into.execute(update(rb_run).where(rb_run.c.id == kept["id"]).values(_values(row)))
    return {row["id"]: kept["id"] for kept, row in pairs}


def _copy_children(source: Connection, into: Connection, taken: Ids) -> None:
    for table in _CHILDREN:
        _fill(source, into, table, taken)


def _children(connection: Connection, table: Table, ids: Sequence[int]) -> Sequence[RowMapping]:
    query = select(table).where(table.c.run_id.in_(ids)).order_by(*table.primary_key.columns)
    return connection.execute(query).mappings().all() if ids else []


def _compare(
    source: Connection, into: Connection, pairs: Sequence[tuple[RowMapping, RowMapping]], merged: MergeReport
) -> None:
    """Report the first difference of each pair: in the final numbers, else in an epoch, else in the sealed test score."""
    epochs, others = (_by_run(c, rb_epoch, [pair[i]["id"] for pair in pairs]) for i, c in enumerate((into, source)))
    scores, sealed = (
        _by_run(c, rb_test_score, [pair[i]["id"] for pair in pairs]) for i, c in enumerate((into, source))
    )
    missing: Ids = {}
    same: Ids = {}
    for kept, row in pairs:
        what = f"run {' '.join(str(kept[name]) for name in _IDENTITY[:-1])} seed {kept['seed']}"
        here, there = kept["id"], row["id"]
        differ = [Conflict(what, name, kept[name], row[name]) for name in _NUMBERS if kept[name] != row[name]]
        if not differ and epochs.get(here) != others.get(there):
            differ = [_first_epoch(what, epochs.get(here, []), others.get(there, []))]
        if here not in scores and there in sealed:
            missing[there] = here
        elif there in sealed and scores[here] != sealed[there] and not differ:
            differ = [Conflict(what, "test score", None, None)]
        merged.conflicts += differ
        if not differ:
            same[there] = here
    _fill(source, into, rb_test_score, missing)
    with_weights = {row["run_id"] for row in _children(into, rb_weights, list(same.values()))}
    _fill(source, into, rb_weights, {there: here for there, here in same.items() if here not in with_weights})


def _fill(source: Connection, into: Connection, table: Table, ids: Ids) -> None:
    """Copy the rows of runs that have none in the target."""
    rows = [{**row, "run_id": ids[row["run_id"]]} for row in _children(source, table, list(ids))]
    insert_all(into, table, rows)


def _by_run(connection: Connection, table: Table, ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    for row in _children(connection, table, ids):
        found.setdefault(row["run_id"], []).append({k: v for k, v in row.items() if k not in _TAKEN})
    return found


def _first_epoch(what: str, here: Sequence[dict[str, Any]], there: Sequence[dict[str, Any]]) -> Conflict:
    for one, other in zip(here, there, strict=False):
        for name, value in one.items():
            if value != other[name]:
                return Conflict(what, f"{name} of epoch {one['epoch']}", value, other[name])
    return Conflict(what, "rows of epochs", len(here), len(there))
