"""Cells: queued -> running (claimed by one worker) -> done or failed.  The seam at which workers take work.

Each step is one transaction and holds only if the cell is still in the state it leaves: a worker that lost its cell is told
so (False) and changes nothing. Who asks gets a cell of any trial of the study that is still active, oldest first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Engine, RowMapping, func, insert, select, update

from resbench.errors import DatabaseError
from resbench.store.records import Cell, canonical_json, now
from resbench.store.tables import rb_cell, rb_cell_plan, rb_trial
from resbench.store.transaction import reading, shown, writing

_STATUSES = ("queued", "running", "done", "failed")


def enqueue_cell(engine: Engine, trial_id: int, seeds: Sequence[int], plan: Mapping[str, Any] | None = None) -> int:
    """Queue seeds still missing of a trial, with how to train them. An open cell of the same trial and seeds is returned, not
    doubled.
    """
    values = {"trial_id": trial_id, "seeds": canonical_json(list(seeds)), "status": "queued"}
    trial = select(rb_trial.c.architecture, rb_trial.c.recipe, rb_trial.c.data).where(rb_trial.c.id == trial_id)
    same = (rb_cell.c.trial_id == trial_id) & (rb_cell.c.seeds == values["seeds"])
    with writing(engine) as connection:
        # The trial's row is held, so that on Postgres too one caller at a time looks and inserts.
        identity = connection.execute(trial.with_for_update()).mappings().first()
        if identity is None:
            raise DatabaseError(f"{shown(engine)}: no trial has the id {trial_id}; a cell belongs to one")
        is_open = rb_cell.c.status.in_(("queued", "running"))
        standing = connection.execute(select(rb_cell.c.id).where(same, is_open)).scalar()
        if standing is not None:
            return int(standing)
        result = connection.execute(insert(rb_cell).values(values | dict(identity)).returning(rb_cell.c.id))
        cell_id = int(result.scalar_one())
        if plan is not None:
            connection.execute(insert(rb_cell_plan).values(cell_id=cell_id, plan=canonical_json(plan)))
        return cell_id


def claim_cell(engine: Engine, study_id: int, worker: str) -> Cell | None:
    """The oldest queued cell, now running and this worker's; None where none is queued."""
    wanted = (rb_trial.c.study_id == study_id) & rb_trial.c.active & (rb_cell.c.status == "queued")
    oldest = (
        select(rb_cell.c.id)
        .join(rb_trial, rb_trial.c.id == rb_cell.c.trial_id)
        .where(wanted)
        .order_by(rb_cell.c.id)
        .limit(1)
        .with_for_update(of=rb_cell, skip_locked=True)
    )
    with writing(engine) as connection:
        cell_id = connection.execute(oldest).scalar()
        if cell_id is None:
            return None
        claim = {"status": "running", "claimed_by": worker, "claimed_at": now(), "finished_at": None, "error": None}
        connection.execute(update(rb_cell).where(rb_cell.c.id == cell_id).values(claim))
        joined = select(rb_cell, rb_cell_plan.c.plan).outerjoin(rb_cell_plan).where(rb_cell.c.id == cell_id)
        return _cell(connection.execute(joined).mappings().one())


def finish_cell(engine: Engine, cell: Cell) -> bool:
    """Close a cell as done. False where it is no longer this claim's."""
    return _close(engine, cell, "done", None)


def fail_cell(engine: Engine, cell: Cell, error: str) -> bool:
    """Close a cell as failed, with the reason. False where it is no longer this claim's."""
    return _close(engine, cell, "failed", error)


def claimants(engine: Engine, study_id: int) -> set[str]:
    """The workers that hold running cells of a study."""
    trials = select(rb_trial.c.id).where(rb_trial.c.study_id == study_id)
    held = select(rb_cell.c.claimed_by).where(rb_cell.c.status == "running", rb_cell.c.trial_id.in_(trials)).distinct()
    with reading(engine) as connection:
        return {str(worker) for worker in connection.execute(held).scalars()}


def requeue_running(engine: Engine, study_id: int, worker: str | None = None) -> int:
    """Queue again what a dead process left running: that worker's, or everything, for the only process of a study. Returns how
    many.
    """
    trials = select(rb_trial.c.id).where(rb_trial.c.study_id == study_id)
    left = (rb_cell.c.status == "running") & rb_cell.c.trial_id.in_(trials)
    if worker is not None:
        left &= rb_cell.c.claimed_by == worker
    with writing(engine) as connection:
        back = {"status": "queued", "claimed_by": None, "claimed_at": None}
        return connection.execute(update(rb_cell).where(left).values(back)).rowcount


def cell_counts(engine: Engine, study_id: int) -> dict[str, int]:
    """How many cells of a study are queued, running, done and failed."""
    query = (
        select(rb_cell.c.status, func.count())
        .join(rb_trial, rb_trial.c.id == rb_cell.c.trial_id)
        .where(rb_trial.c.study_id == study_id)
        .group_by(rb_cell.c.status)
    )
    with reading(engine) as connection:
        found = {status: int(count) for status, count in connection.execute(query)}
    return {status: found.get(status, 0) for status in _STATUSES}


def _close(engine: Engine, cell: Cell, status: str, error: str | None) -> bool:
    mine = (
        (rb_cell.c.id == cell.id)
        & (rb_cell.c.status == "running")
        & (rb_cell.c.claimed_by == cell.claimed_by)
        & (rb_cell.c.claimed_at == cell.claimed_at)
    )
    with writing(engine) as connection:
        values = {"status": status, "finished_at": now(), "error": error}
        return connection.execute(update(rb_cell).where(mine).values(values)).rowcount == 1


def _cell(row: RowMapping) -> Cell:
    return Cell(**dict(row) | {"seeds": tuple(json.loads(row["seeds"])), "plan": json.loads(row["plan"] or "{}")})
