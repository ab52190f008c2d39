"""Delete the rows that belong to deleted results: cells, attempts, checkpoints, profiles, and unused rows of the catalogue."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import Column, Connection, Table, and_, bindparam, delete, exists, select

from resbench.store.edits.deletion import Run, Trial, chunks
from resbench.store.queue.cells import cells_of
from resbench.store.queue.holders import is_any_run
from resbench.store.records import Cell
from resbench.store.results.checkpoints import checkpoint_key, kept_keys, kept_keys_in
from resbench.store.schema.tables import (
    rb_architecture,
    rb_cost,
    rb_data,
    rb_environment,
    rb_profile,
    rb_recipe,
    rb_run,
    rb_run_plan,
    rb_trial,
)
from resbench.store.schema.work_tables import rb_attempt, rb_cell, rb_cell_plan, rb_checkpoint

_WIDEST = 1000  # seeds as one network, as recipes allow
_IDENTITY = ("architecture", "recipe", "data")


def delete_work(connection: Connection, trials: Sequence[int]) -> None:
    """Delete the cells of trials, with their plans and attempts."""
    for some in chunks(trials):
        cells = select(rb_cell.c.id).where(rb_cell.c.trial_id.in_(some))
        for table in (rb_attempt, rb_cell_plan):
            connection.execute(delete(table).where(table.c.cell_id.in_(cells)))
        connection.execute(delete(rb_cell).where(rb_cell.c.trial_id.in_(some)))


def delete_checkpoints(connection: Connection, trials: Sequence[int], runs: Sequence[int]) -> None:
    """Delete rows of checkpoints from which only cells of these trials, or these runs, would continue; call it before those are
    deleted.
    """
    keys = set[str]()
    for some in chunks(trials):
        keys.update(*map(keys_of, cells_of(connection, rb_cell.c.trial_id.in_(some))))
    for some in chunks(runs):
        keys |= kept_keys(connection, select(rb_run_plan.c.plan).where(rb_run_plan.c.run_id.in_(some)))
    there = keys & set(connection.execute(select(rb_checkpoint.c.key).distinct()).scalars())
    if not there:
        return
    gone, without = set(runs), set(trials)
    stopped = select(rb_run_plan.c.run_id, rb_run_plan.c.plan).join(rb_run).where(rb_run.c.status == "stopped")
    for run, plan in connection.execute(stopped):
        there -= set() if run in gone else kept_keys_in(plan)
    for cell in cells_of(connection, rb_cell.c.status.in_(("queued", "running"))):
        there -= set() if cell.trial_id in without else {*keys_of(cell)}
    for keys_there in chunks(sorted(there)):
        connection.execute(delete(rb_checkpoint).where(rb_checkpoint.c.key.in_(keys_there)))


def keys_of(cell: Cell) -> Iterable[str]:
    """Yield the keys of the checkpoints that training the cell may leave: of its seeds in their blocks, and of each alone."""
    width = cell.plan.get("width")
    width = width if type(width) is int and 1 <= width <= _WIDEST else 1
    way = f"{cell.plan.get('layout', 'contiguous')}{' compiled' * bool(cell.plan.get('compiled', False))}"
    blocks = {tuple(range(seed - seed % width, seed - seed % width + width)) for seed in cell.seeds}
    for seeds in blocks | {(seed,) for seed in cell.seeds}:
        yield checkpoint_key(cell.architecture, cell.recipe, cell.data, seeds, way)


def delete_profiles(connection: Connection, runs: Sequence[Run], trials: Sequence[Trial]) -> None:
    """Delete the profiles of the runs, and those of unfinished seeds of trials that no study has any more."""
    named = (*_IDENTITY, "seed")
    same = and_(*(rb_profile.c[name] == bindparam(f"the_{name}") for name in named))
    if runs:
        connection.execute(
            delete(rb_profile).where(same), [{f"the_{n}": getattr(run, n) for n in named} for run in runs]
        )
    ran = exists().where(*(rb_run.c[name] == rb_profile.c[name] for name in named))
    wanted = exists().where(*(rb_trial.c[name] == rb_profile.c[name] for name in _IDENTITY))
    for of in {tuple(getattr(trial, name) for name in _IDENTITY) for trial in trials}:
        mine = and_(*(rb_profile.c[name] == value for name, value in zip(_IDENTITY, of, strict=True)))
        connection.execute(delete(rb_profile).where(mine, ~ran, ~wanted))


def delete_catalogue(connection: Connection, of: Collection[Run | Trial], environments: Collection[str]) -> None:
    """Delete the architectures with their costs, recipes, data sets and environments to which no row refers any more.

    They stay while any study is being run, which may be about to refer to them.
    """
    if is_any_run(connection):
        return
    for table, key in ((rb_cost, rb_cost.c.architecture), (rb_architecture, rb_architecture.c.digest)):
        _delete_unused(connection, (table, key), "architecture", {one.architecture for one in of})
    _delete_unused(connection, (rb_recipe, rb_recipe.c.digest), "recipe", {one.recipe for one in of})
    _delete_unused(connection, (rb_data, rb_data.c.digest), "data", {one.data for one in of})
    _delete_unused(connection, (rb_environment, rb_environment.c.digest), "environment", environments)


def _delete_unused(
    connection: Connection, where: tuple[Table, Column[Any]], name: str, digests: Collection[str]
) -> None:
    table, key = where
    users = [one for one in (rb_run, rb_trial, rb_cell, rb_profile) if name in one.c]
    used = [exists().where(one.c[name] == key) for one in users]
    for some in chunks(sorted(digests)):
        connection.execute(delete(table).where(key.in_(some), *(~one for one in used)))
