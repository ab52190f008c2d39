"""RunRecord -> one row, its epochs and its test score, in one transaction; identity -> the runs in the database.

A run that is complete or diverged is never rewritten: a second save of it changes nothing. A run that was stopped at a rung is
replaced by its continuation, a failed one by a new attempt, under the same id.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, func, insert, select, update

from resbench.failpoints import Failpoint, reach
from resbench.store.connection.dialect import insert_absent
from resbench.store.connection.transaction import reading, shown, writing
from resbench.store.queue.cells import hold
from resbench.store.records import (
    TERMINAL_STATUSES,
    TRAINED_STATUSES,
    Cell,
    EpochRecord,
    RunRecord,
    RunRow,
    TestScore,
    canonical_json,
    finite,
    now,
)
from resbench.store.results.studies import study_row
from resbench.store.schema.tables import rb_epoch, rb_run, rb_run_plan, rb_study_run, rb_test_score, rb_weights
from resbench.store.schema.values import parse_object
from resbench.store.schema.work_tables import rb_cell, rb_cell_plan, rb_checkpoint

_IDENTITY = ("architecture", "recipe", "data", "seed")
_NUMBERS = ("val_error_pct", "val_loss", "train_loss", "train_s", "wall_s")
_TEXTS = ("status", "epochs", "environment", "error")
_SEEDS_PER_QUERY = 500  # SQLite before 3.32 takes 999 parameters


def save_run(engine: Engine, record: RunRecord, *, study_id: int | None = None, trial_id: int | None = None) -> int:
    """Save a run, unless a finished one is there already, and return its id. A study and its trial are linked atomically."""
    with writing(engine) as connection:
        run_id = write_run(connection, record)
        if study_id is not None:
            insert_absent(connection, rb_study_run, {"study_id": study_id, "trial_id": trial_id, "run_id": run_id})
        return run_id


def save_runs_of(engine: Engine, records: Sequence[RunRecord], cell: Cell, study_id: int, key: str | None) -> None:
    """Save the runs of one training at once, under the claim of their cell and in its study.

    The rows of checkpoints under `key` are deleted; with None they stay, since the runs continue later. Raises LeaseLost, with
    nothing written, where another worker has taken the cell over.
    """
    with writing(engine) as connection:
        hold(connection, cell)
        for record in records:
            run_id = write_run(connection, record)
            values = {"study_id": study_id, "trial_id": cell.trial_id, "run_id": run_id, "judges": cell.judges}
            insert_absent(connection, rb_study_run, values)
        if key is not None:
            connection.execute(delete(rb_checkpoint).where(rb_checkpoint.c.key == key))
        reach(Failpoint.RUNS_WRITTEN)
    reach(Failpoint.RUNS_COMMITTED)


def write_run(connection: Connection, record: RunRecord) -> int:
    """Save a run inside the caller's transaction, so that a claim is checked and a run written atomically. Return its id."""
    values = _values(record)
    inserted = insert_absent(connection, rb_run, values)
    same = and_(*(rb_run.c[name] == values[name] for name in _IDENTITY))
    found = select(rb_run.c.id, rb_run.c.status, rb_run.c.epochs).where(same).with_for_update()
    run_id, status, epochs = connection.execute(found).one()
    if not inserted:
        further = record.status in TERMINAL_STATUSES or (record.status == "stopped" and record.epochs > epochs)
        if status in TERMINAL_STATUSES or (status == "stopped" and not further):
            return int(run_id)
        connection.execute(delete(rb_epoch).where(rb_epoch.c.run_id == run_id))
        connection.execute(delete(rb_test_score).where(rb_test_score.c.run_id == run_id))
        connection.execute(delete(rb_run_plan).where(rb_run_plan.c.run_id == run_id))
        connection.execute(delete(rb_weights).where(rb_weights.c.run_id == run_id))
        connection.execute(update(rb_run).where(rb_run.c.id == run_id).values(values))
    if record.history:
        connection.execute(insert(rb_epoch), [_epoch(run_id, epoch) for epoch in record.history])
    if record.test_score is not None:
        score = TestScore(finite(record.test_score.test_error_pct), finite(record.test_score.test_loss))
        connection.execute(insert(rb_test_score).values(run_id=run_id, sealed=score))
    if record.plan is not None:
        connection.execute(insert(rb_run_plan).values(run_id=run_id, plan=canonical_json(record.plan)))
    if record.weights is not None:
        connection.execute(insert(rb_weights).values(run_id=run_id, asked=False, **asdict(record.weights)))
    return int(run_id)


@dataclass(frozen=True, slots=True)
class Rung:
    """An epoch at which runs are stopped; with `study_id`, only those that this study has stopped."""

    epoch: int
    study_id: int | None = None


def find_runs(
    engine: Engine, architecture: str, recipe: str, data: str, seeds: Sequence[int], *, rung: Rung | None = None
) -> dict[int, RunRow]:
    """Return the finished runs of these seeds, in the order of the seeds; with `rung`, also those stopped there or later."""
    identity = and_(rb_run.c.architecture == architecture, rb_run.c.recipe == recipe, rb_run.c.data == data)
    there: ColumnElement[bool] = rb_run.c.status.in_(TERMINAL_STATUSES)
    if rung is not None:
        stopped = (rb_run.c.status == "stopped") & (rb_run.c.epochs >= rung.epoch)
        if rung.study_id is not None:
            of_study = select(rb_study_run.c.run_id).where(rb_study_run.c.study_id == rung.study_id)
            stopped = stopped & rb_run.c.id.in_(of_study)
        there = there | stopped
    found: dict[int, RunRow] = {}
    with reading(engine) as connection:
        for start in range(0, len(seeds), _SEEDS_PER_QUERY):
            some = list(seeds[start : start + _SEEDS_PER_QUERY])
            query = select(rb_run).where(identity, rb_run.c.seed.in_(some), there)
            found |= {row["seed"]: RunRow(**row) for row in connection.execute(query).mappings()}
    return {seed: found[seed] for seed in seeds if seed in found}


def plan_of(engine: Engine, architecture: str, recipe: str, data: str) -> dict[str, Any] | None:
    """Return the plan of the newest run, else that of the newest cell; None where neither has one."""
    with reading(engine) as connection:
        found = None
        for table, plan in ((rb_run, rb_run_plan), (rb_cell, rb_cell_plan)):
            identity = and_(table.c.architecture == architecture, table.c.recipe == recipe, table.c.data == data)
            newest = select(plan.c.plan).join(table).where(identity).order_by(table.c.id.desc()).limit(1)
            found = found or connection.execute(newest).scalar()
        return None if found is None else parse_object(found, "rb_run_plan: plan")


def run_plan(engine: Engine, run_id: int) -> dict[str, Any]:
    """Return the plan by which a run was trained; empty where none was recorded."""
    with reading(engine) as connection:
        found = connection.execute(select(rb_run_plan.c.plan).where(rb_run_plan.c.run_id == run_id)).scalar()
        return parse_object(found or "{}", f"rb_run_plan {run_id}: plan")


def runs_by_measured_plans(engine: Engine, study: str) -> int:
    """Return the number of a study's runs whose plan was timed on the machine; another machine may round differently."""
    with reading(engine) as connection:
        study_id = study_row(connection, study, shown(engine)).id
        mine = select(rb_study_run.c.run_id).where(rb_study_run.c.study_id == study_id)
        plans = connection.execute(
            select(rb_run_plan.c.run_id, rb_run_plan.c.plan).where(rb_run_plan.c.run_id.in_(mine))
        )
        return sum(bool(parse_object(plan, f"rb_run_plan {run}: plan").get("measured")) for run, plan in plans)


def link_run(engine: Engine, study_id: int, trial_id: int, run_id: int, *, judges: bool = True) -> None:
    """Link a run to a trial of a study; a run may have several links. Linking twice changes nothing.

    `judges`: whether it is an evaluation run; a run by which a search chose is in no ranking.
    """
    with writing(engine) as connection:
        values = {"study_id": study_id, "trial_id": trial_id, "run_id": run_id, "judges": judges}
        insert_absent(connection, rb_study_run, values)


def newest_run(engine: Engine) -> int:
    """Return the id of the newest run; 0 where there is none."""
    with reading(engine) as connection:
        return int(connection.execute(select(func.coalesce(func.max(rb_run.c.id), 0))).scalar_one())


def runs_since(engine: Engine, study_id: int, run_id: int) -> list[tuple[int, int, int, str, float | None, int]]:
    """Return finished runs of a study with a higher id: (id, trial, seed, status, val error in percent, epochs), by id."""
    columns = [rb_run.c[name] for name in ("seed", "status", "val_error_pct", "epochs")]
    query = (
        select(rb_run.c.id, rb_study_run.c.trial_id, *columns)
        .join(rb_study_run, rb_study_run.c.run_id == rb_run.c.id)
        .where(rb_study_run.c.study_id == study_id, rb_run.c.id > run_id, _finished())
        .order_by(rb_run.c.id)
    )
    with reading(engine) as connection:
        return [tuple(row) for row in connection.execute(query)]


def _finished() -> ColumnElement[bool]:
    return rb_run.c.status.in_(TRAINED_STATUSES)


def _values(record: RunRecord) -> dict[str, Any]:
    return (
        {name: getattr(record, name) for name in (*_IDENTITY, *_TEXTS)}
        | {name: finite(getattr(record, name)) for name in _NUMBERS}
        | {"created_at": now()}
    )


def _epoch(run_id: int, epoch: EpochRecord) -> dict[str, Any]:
    values = asdict(epoch)
    return {"run_id": run_id, "epoch": values.pop("epoch")} | {name: finite(number) for name, number in values.items()}
