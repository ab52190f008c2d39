"""A claimed cell -> its runs: trains the seeds that have none, side by side, and saves each as it ends.

It touches nothing but our own tables, and writes under the cell's claim, so it may run in another process or on another machine.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import torch

from resbench.compiler.modules.stack import Stack
from resbench.errors import DatabaseError, LeaseLost, StorageError
from resbench.search.pruning import chooses, stopping
from resbench.store.connection.retry import Patience
from resbench.store.open import Engine
from resbench.store.records import Cell, EpochRecord, RunRecord, TestScore, finite
from resbench.store.results.catalogue import put_environment
from resbench.store.results.checkpoints import Checkpoints, checkpoint_key
from resbench.store.results.profiles import put_profiles
from resbench.store.results.runs import Rung, find_runs, link_run, save_runs_of
from resbench.train.checkpoint import Checkpointer
from resbench.train.clock import InPhase, untimed
from resbench.train.execution.device import repeatable
from resbench.train.execution.plan import plan_from
from resbench.train.execution.ranks import shard
from resbench.train.fit import Hooks
from resbench.train.outcome import Epoch, Outcome
from resbench.workers.cell_plan import Block, blocks, profile_epochs, without_said
from resbench.workers.environment import environment
from resbench.workers.events import Ears
from resbench.workers.job import Job, job, train
from resbench.workers.signal_profiles import profiles
from resbench.workers.timing import Machine, clock, write
from resbench.workers.trainer import Train
from resbench.workers.weights_keeper import WeightsKeeper, keep_of_study

_NOT_OF_THE_CELL = (DatabaseError, StorageError, LeaseLost, InterruptedError)


def training(study_id: int, folder: Path, machine: Machine) -> Train:
    """What trains cells of the study here, warmed up. `folder`: of checkpoints."""
    repeatable(machine.device)
    torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)  # the first of a process imports for a second

    def train_cell(engine: Engine, cell: Cell, ears: Ears) -> None:
        _train(_Desk(engine, study_id, machine, folder, cell, ears))

    return train_cell


@dataclass(frozen=True, slots=True)
class _Desk:
    """Everything that one cell is trained with."""

    engine: Engine
    study_id: int
    machine: Machine
    folder: Path
    cell: Cell
    ears: Ears

    @property
    def identity(self) -> tuple[str, str, str]:
        return self.cell.architecture, self.cell.recipe, self.cell.data

    @property
    def patience(self) -> Patience:
        return Patience(note=self.ears.note)


def _train(desk: _Desk) -> None:
    """Link the runs that stand, train the seeds that have none."""
    cell = desk.cell
    rung = None if cell.upto is None else Rung(cell.upto)
    found = desk.patience.do(lambda: find_runs(desk.engine, *desk.identity, cell.seeds, rung=rung))
    missing = tuple(seed for seed in cell.seeds if seed not in found)
    for seed, run in found.items():
        desk.patience.do(partial(link_run, desk.engine, desk.study_id, cell.trial_id, run.id, judges=cell.judges))
        desk.ears.saved(seed, run.epochs, None if run.status == "diverged" else run.val_error_pct)
    if not missing:
        return
    task = desk.patience.do(lambda: job(desk.engine, *desk.identity))
    for block in blocks(missing, plan_from(cell.plan).width):
        try:
            _run(desk, task, block)
        except _NOT_OF_THE_CELL:
            raise
        except Exception as error:
            if len(block.seeds) == 1 or shard().of > 1:
                raise
            desk.ears.note(
                f"{len(block.seeds)} seeds as one network: {type(error).__name__}: {error}; they are tried one by one"
            )
            key = checkpoint_key(*desk.identity, block.seeds, plan_from(cell.plan).way)
            desk.patience.do(
                Checkpoints(desk.engine, desk.folder, key, cell).forget
            )  # nobody goes on with them as one network
            _one_by_one(desk, task, block.wanted)


def _one_by_one(desk: _Desk, task: Job, seeds: tuple[int, ...]) -> None:
    """One that raises does not lose its brothers; the first error is raised when all have been tried."""
    errors: list[Exception] = []
    for seed in seeds:
        try:
            _run(desk, task, Block((seed,), (seed,)))
        except _NOT_OF_THE_CELL:
            raise
        except Exception as error:
            errors.append(error)
    if errors:
        raise errors[0]


def _run(desk: _Desk, task: Job, block: Block) -> None:
    """Train the seeds as one network, and save those of them that are wanted."""
    cell, plan, seeds = desk.cell, plan_from(desk.cell.plan), block.seeds
    ran_on = environment(desk.machine.device, plan.threads, tf32=task.recipe.precision == "tf32")
    where = desk.patience.do(lambda: put_environment(desk.engine, ran_on))
    key = checkpoint_key(*desk.identity, seeds, plan.way)
    kept = Checkpoints(desk.engine, desk.folder, key, cell)
    timed = clock(desk.machine, task.bound.unit, key, seeds, desk.ears.note)
    how = {
        "seeds": list(seeds),
        "width": len(seeds),
        "layout": plan.layout,
        "threads": plan.threads,
        "recompute": plan.recompute,
        "compiled": plan.compiled,
        "ranks": shard().of,
    }
    keep = desk.patience.do(lambda: keep_of_study(desk.engine, desk.study_id))
    weights = WeightsKeeper(desk.engine, desk.folder, keep, desk.study_id, desk.patience, task, cell)
    hooks = _hooks(desk, task, kept, block, untimed if timed is None else timed.phase)
    hooks = replace(hooks, weights=weights.hook())
    try:
        outcomes = train(task, seeds, plan, desk.machine.device, hooks)
    finally:
        if timed is not None:
            timed.stop()
    told = {**without_said(cell.plan), **how}
    ended = {seed: outcome for seed, outcome in zip(seeds, outcomes, strict=True) if seed in block.wanted}
    goes_on = any(outcome.status == "stopped" for outcome in ended.values())
    if goes_on:
        told["checkpoint"] = key
    if untested := next((outcome.untested for outcome in ended.values() if outcome.untested), ""):
        told["untested"] = untested
        desk.ears.note(
            f"{task.bound.unit}: {untested}; its runs are saved with their val numbers and without a test score"
        )
    rows = [
        replace(record(cell, seed, outcome, where, told), weights=weights.written.get(seed))
        for seed, outcome in ended.items()
    ]
    desk.patience.do(lambda: save_runs_of(desk.engine, rows, cell, desk.study_id, None if goes_on else key))
    for seed, outcome in ended.items():
        last = outcome.epochs[-1]
        desk.ears.saved(seed, last.epoch, last.judged_error_pct if outcome.status != "diverged" else None)
    if not goes_on:
        kept.clear()
    write(timed, task.bound.unit, how)


def _hooks(desk: _Desk, task: Job, kept: Checkpoints, block: Block, phase: InPhase) -> Hooks:
    def told(seed: int, epoch: Epoch) -> None:
        desk.ears.epoch(seed, epoch.epoch, finite(epoch.judged_error_pct))

    def keep(epoch: int, content: bytes) -> None:
        try:
            Patience(full_s=0, note=desk.ears.note).do(lambda: kept.save(epoch, content))
        except StorageError as error:  # the one before serves; the result is what must not be lost
            desk.ears.note(f"{error}; the training goes on without it")

    def look(epoch: int, stacked: Stack) -> None:
        if epoch in profile_epochs(desk.cell.plan) and shard().rank == 0:
            found = [one for one in profiles(task, stacked, block.seeds, epoch) if one.seed in block.wanted]
            desk.patience.do(lambda: put_profiles(desk.engine, desk.cell, found))

    keeper = Checkpointer(task.recipe.checkpoint_every, lambda: desk.patience.do(kept.load), keep)
    wanted = [block.seeds.index(seed) for seed in block.wanted]
    return Hooks(told, keeper, phase, desk.ears.beat, look, stopping(desk.cell.plan), wanted, chooses(desk.cell.plan))


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
        val_error_pct=last.judged_error_pct,
        val_loss=last.judged_loss,
        train_loss=last.train_loss,
        epochs=last.epoch,
        train_s=outcome.train_s,
        wall_s=outcome.wall_s,
        history=[EpochRecord(**asdict(epoch)) for epoch in outcome.epochs],
        test_score=test,
        plan=plan,
    )
