"""Cells -> Runs.  Claims cells, trains the missing seeds of each side by side, saves each run as it ends.

A worker touches nothing but our own tables, so it may be another process, or on another machine; who looks on is told.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from resbench.errors import DatabaseError, ResbenchError, StorageError
from resbench.plugins.load import blamed
from resbench.store.catalogue import put_environment
from resbench.store.cells import claim_cell, fail_cell, finish_cell
from resbench.store.checkpoints import Checkpoints, checkpoint_key
from resbench.store.engine import Engine
from resbench.store.records import Cell, EpochRecord, RunRecord, TestScore
from resbench.store.runs import find_runs, link_run, save_run
from resbench.study.environment import environment
from resbench.study.job import Job, job, train
from resbench.study.planning import blocks
from resbench.study.profile import Machine, clock, write
from resbench.train.checkpoint import Keeper
from resbench.train.clock import untimed
from resbench.train.fit import Hooks
from resbench.train.outcome import Epoch, Outcome
from resbench.train.plan import plan_from
from resbench.train.ranks import part


class Onlooker(Protocol):
    """Who is told what a worker does."""

    def epoch(self, trial_id: int, seed: int, epoch: Epoch) -> None: ...

    def saved(self, trial_id: int, seed: int, outcome: Outcome) -> None: ...

    def ended(self, trial_id: int, error: str | None) -> None: ...

    def note(self, trial_id: int, text: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Worker:
    """`name` under which cells are claimed; `folder` for checkpoints; `stopped` says at the end of an epoch whether to stop."""

    engine: Engine
    study_id: int
    name: str
    machine: Machine
    folder: Path
    onlooker: Onlooker
    stopped: Callable[[], bool] = lambda: False


def work(worker: Worker) -> None:
    """Until no cell is left. A cell that fails is closed with its error, and stops no other.

    What the database or Ctrl-C raises ends the work; the cell under way is given up and queued anew by the next start.
    """
    while (cell := claim_cell(worker.engine, worker.study_id, worker.name)) is not None:
        try:
            _train(worker, cell)
        except (DatabaseError, StorageError, KeyboardInterrupt, InterruptedError) as error:
            traceback.clear_frames(
                error.__traceback__
            )  # Ctrl-C may leave a transaction open there, and the lock with it
            with suppress(ResbenchError):
                fail_cell(worker.engine, cell, f"given up: {error or 'Ctrl-C'}")
            raise
        except Exception as error:
            fail_cell(worker.engine, cell, "".join(traceback.format_exception(error)))
            told = str(blamed(error) or f"{type(error).__name__}: {error}")
            worker.onlooker.ended(cell.trial_id, told)
            if part().of > 1:
                raise StorageError(
                    f"{told}; the processes of one training are out of step, so all of them end"
                ) from None
        else:
            finish_cell(worker.engine, cell)
            worker.onlooker.ended(cell.trial_id, None)


def _train(worker: Worker, cell: Cell) -> None:
    """Link the runs that stand, train the seeds that have none."""
    found = find_runs(worker.engine, cell.architecture, cell.recipe, cell.data, cell.seeds)
    for run in found.values():
        link_run(worker.engine, worker.study_id, cell.trial_id, run.id)
    missing = tuple(seed for seed in cell.seeds if seed not in found)
    if not missing:
        return
    task = job(worker.engine, cell.architecture, cell.recipe, cell.data)
    for block in blocks(missing, plan_from(cell.plan).width):
        try:
            _run(worker, cell, task, block)
        except (DatabaseError, StorageError, InterruptedError):
            raise
        except Exception as error:
            if len(block) == 1 or part().of > 1:
                raise
            told = f"{len(block)} seeds as one network: {type(error).__name__}: {error}; they are tried one by one"
            worker.onlooker.note(cell.trial_id, told)
            _one_by_one(worker, cell, task, block)


def _one_by_one(worker: Worker, cell: Cell, task: Job, seeds: tuple[int, ...]) -> None:
    """One that raises does not lose its brothers; the first error is raised when all have been tried."""
    errors: list[Exception] = []
    for seed in seeds:
        try:
            _run(worker, cell, task, (seed,))
        except (DatabaseError, StorageError, InterruptedError):
            raise
        except Exception as error:
            errors.append(error)
    if errors:
        raise errors[0]


def _run(worker: Worker, cell: Cell, task: Job, seeds: tuple[int, ...]) -> None:
    def told(seed: int, epoch: Epoch) -> None:
        if worker.stopped():
            raise InterruptedError(f"seed {seed} was stopped after epoch {epoch.epoch}")
        worker.onlooker.epoch(cell.trial_id, seed, epoch)

    plan = plan_from(cell.plan)
    where = put_environment(
        worker.engine, environment(worker.machine.device, plan.threads, tf32=task.recipe.precision == "tf32")
    )
    key = checkpoint_key(*_identity(cell), seeds, plan.way)
    kept = Checkpoints(worker.engine, worker.folder, key)
    timed = clock(worker.machine, task.bound.unit, key, seeds)
    phase = untimed if timed is None else timed.phase
    hooks = Hooks(told, Keeper(task.recipe.checkpoint_every, kept.load, kept.save), phase)
    how = {
        "seeds": list(seeds),
        "width": len(seeds),
        "layout": plan.layout,
        "threads": plan.threads,
        "recompute": plan.recompute,
        "compiled": plan.compiled,
        "ranks": part().of,
    }
    try:
        outcomes = train(task, seeds, plan, worker.machine.device, hooks)
    finally:
        if timed is not None:
            timed.stop()
    for seed, outcome in zip(seeds, outcomes, strict=True):
        row = record(cell, seed, outcome, where, {**cell.plan, **how})
        save_run(worker.engine, row, study_id=worker.study_id, trial_id=cell.trial_id)
        worker.onlooker.saved(cell.trial_id, seed, outcome)
    kept.drop()
    write(timed, task.bound.unit, how)


def _identity(cell: Cell) -> tuple[str, str, str]:
    return cell.architecture, cell.recipe, cell.data


def record(cell: Cell, seed: int, outcome: Outcome, environment: str, plan: dict[str, object]) -> RunRecord:
    last = outcome.epochs[-1]
    test = None if outcome.test_error_pct is None else TestScore(outcome.test_error_pct, outcome.test_loss)
    return RunRecord(
        architecture=cell.architecture,
        recipe=cell.recipe,
        data=cell.data,
        seed=seed,
        status=outcome.status,
        environment=environment,
        val_error_pct=last.val_error_pct,
        val_loss=last.val_loss,
        train_loss=last.train_loss,
        epochs=last.epoch,
        train_s=outcome.train_s,
        wall_s=outcome.wall_s,
        history=[EpochRecord(**asdict(epoch)) for epoch in outcome.epochs],
        test_score=test,
        plan=plan,
    )
