"""A claimed cell -> its runs: trains the seeds that have none, side by side, and saves each as it ends.

It touches nothing but our own tables, and writes under the cell's claim, so it may run in another process or on another machine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from resbench.compiler.modules.stack import Stack
from resbench.errors import DatabaseError, LeaseLost, StorageError
from resbench.search.pruning import selection_epochs, stopping_rule
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
from resbench.train.execution.plan import Plan, plan_from
from resbench.train.execution.ranks import shard
from resbench.train.fit import Hooks
from resbench.train.outcome import Epoch, Outcome
from resbench.workers.cell_plan import CellPlan, SeedStack, seed_stacks
from resbench.workers.environment import environment
from resbench.workers.events import CellReporter
from resbench.workers.job import Job, read_job, train
from resbench.workers.profiling import signal_profiles, timing_clock, write_timing
from resbench.workers.weights_keeper import WeightsKeeper, keep_of_study

CellTrainer = Callable[[Engine, Cell, CellReporter], None]
_NOT_OF_THE_CELL = (DatabaseError, StorageError, LeaseLost, InterruptedError)


def cell_trainer(study_id: int, folder: Path, device: torch.device, timing: Path | None = None) -> CellTrainer:
    """Return what trains cells of the study here, warmed up.

    Args:
        study_id: The study's number.
        folder: The folder of checkpoints and weights.
        device: Where it trains.
        timing: The folder for where the time of each cell goes; None where nobody asks.
    """
    repeatable(device)
    torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)  # the first of a process imports for a second

    def train_cell(engine: Engine, cell: Cell, reporter: CellReporter) -> None:
        CellTraining(engine, cell, reporter, study_id=study_id, folder=folder, device=device, timing=timing).run()

    return train_cell


class CellTraining:
    """One attempt at a cell: links the runs that the database has, and trains and saves those that are missing."""

    def __init__(
        self,
        engine: Engine,
        cell: Cell,
        reporter: CellReporter,
        *,
        study_id: int,
        folder: Path,
        device: torch.device,
        timing: Path | None,
    ) -> None:
        self.engine, self.cell, self.reporter = engine, cell, reporter
        self.study_id, self.folder, self.device, self.timing = study_id, folder, device, timing
        self.identity = (cell.architecture, cell.recipe, cell.data)
        self.plan = CellPlan.from_json(cell.plan)
        self.training: Plan = plan_from(self.plan.training)
        self.patience = Patience(note=reporter.note)

    def run(self) -> None:
        """Train the seeds of the cell that have no run."""
        missing = self._link_runs()
        if not missing:
            return
        job = self.patience.do(lambda: read_job(self.engine, *self.identity))
        for stack in seed_stacks(missing, self.training.width):
            try:
                self._train(job, stack)
            except _NOT_OF_THE_CELL:
                raise
            except Exception as error:
                if len(stack.seeds) == 1 or shard().of > 1:
                    raise
                self.reporter.note(
                    f"{len(stack.seeds)} seeds as one network: {type(error).__name__}: {error}; they are tried one by one"
                )
                self.patience.do(self._checkpoints(stack).forget)  # nobody goes on with them as one network
                self._one_by_one(job, stack)

    def _link_runs(self) -> tuple[int, ...]:
        """Let the study show the runs that the database has. Returns the seeds that have none."""
        cell, plan = self.cell, self.plan
        rung = None if plan.upto is None else Rung(plan.upto)
        found = self.patience.do(lambda: find_runs(self.engine, *self.identity, cell.seeds, rung=rung))
        for seed, run in found.items():
            self.patience.do(partial(link_run, self.engine, self.study_id, cell.trial_id, run.id, judges=plan.judges))
            self.reporter.saved(seed, run.epochs, None if run.status == "diverged" else run.val_error_pct)
        return tuple(seed for seed in cell.seeds if seed not in found)

    def _one_by_one(self, job: Job, stack: SeedStack) -> None:
        """Train the wanted seeds apart. One that raises does not lose its brothers; the first error is raised in the end."""
        errors: list[Exception] = []
        for seed in stack.wanted:
            try:
                self._train(job, SeedStack((seed,), (seed,)))
            except _NOT_OF_THE_CELL:
                raise
            except Exception as error:
                errors.append(error)
        if errors:
            raise errors[0]

    def _checkpoints(self, stack: SeedStack) -> Checkpoints:
        key = checkpoint_key(*self.identity, stack.seeds, self.training.way)
        return Checkpoints(self.engine, self.folder, key, self.cell)

    def _train(self, job: Job, stack: SeedStack) -> None:
        """Train the seeds of a stack as one network, and save those of them that are wanted."""
        ran_on = environment(self.device, self.training.threads, tf32=job.recipe.precision == "tf32")
        where = self.patience.do(lambda: put_environment(self.engine, ran_on))
        kept = self._checkpoints(stack)
        clock = None
        if self.timing is not None:
            name = f"{job.bound.unit}-{kept.key[:8]}"
            clock = timing_clock(self.device, self.timing, name, stack.seeds, self.reporter.note)
        keep = self.patience.do(lambda: keep_of_study(self.engine, self.study_id))
        weights = WeightsKeeper(self.engine, self.folder, keep, self.study_id, self.patience, job, self.cell)
        hooks = self._hooks(job, kept, stack, untimed if clock is None else clock.phase)
        hooks = replace(hooks, weights=weights.hook())
        try:
            outcomes = train(job, stack.seeds, self.training, self.device, hooks)
        finally:
            if clock is not None:
                clock.stop()
        how = self._how(stack)
        ended = {seed: one for seed, one in zip(stack.seeds, outcomes, strict=True) if seed in stack.wanted}
        goes_on = any(outcome.status == "stopped" for outcome in ended.values())
        plan = {**self.plan.training, **how, **({"checkpoint": kept.key} if goes_on else {})}
        if untested := next((outcome.untested for outcome in ended.values() if outcome.untested), ""):
            plan["untested"] = untested
            self.reporter.note(
                f"{job.bound.unit}: {untested}; its runs are saved with their val numbers and without a test score"
            )
        rows = [
            replace(run_record(self.cell, seed, outcome, where, plan), weights=weights.written.get(seed))
            for seed, outcome in ended.items()
        ]
        closed = None if goes_on else kept.key
        self.patience.do(lambda: save_runs_of(self.engine, rows, self.cell, self.study_id, closed))
        for seed, outcome in ended.items():
            last = outcome.epochs[-1]
            self.reporter.saved(seed, last.epoch, last.judged_error_pct if outcome.status != "diverged" else None)
        if not goes_on:
            kept.clear()
        if clock is not None:
            write_timing(clock, job.bound.unit, how)

    def _how(self, stack: SeedStack) -> dict[str, Any]:
        """Return how the stack was trained, as it is kept with its runs."""
        plan = self.training
        return {
            "seeds": list(stack.seeds),
            "width": len(stack.seeds),
            "layout": plan.layout,
            "threads": plan.threads,
            "recompute": plan.recompute,
            "compiled": plan.compiled,
            "ranks": shard().of,
        }

    def _hooks(self, job: Job, kept: Checkpoints, stack: SeedStack, phase: InPhase) -> Hooks:
        def on_epoch(seed: int, epoch: Epoch) -> None:
            self.reporter.epoch(seed, epoch.epoch, finite(epoch.judged_error_pct))

        def keep(epoch: int, content: bytes) -> None:
            try:
                Patience(full_s=0, note=self.reporter.note).do(lambda: kept.save(epoch, content))
            except StorageError as error:  # the one before serves; the result is what must not be lost
                self.reporter.note(f"{error}; the training goes on without it")

        def on_profile(epoch: int, stacked: Stack) -> None:
            if epoch in self.plan.profile_epochs and shard().rank == 0:
                found = [one for one in signal_profiles(job, stacked, stack.seeds, epoch) if one.seed in stack.wanted]
                self.patience.do(lambda: put_profiles(self.engine, self.cell, found))

        keeper = Checkpointer(job.recipe.checkpoint_every, lambda: self.patience.do(kept.load), keep)
        wanted = [stack.seeds.index(seed) for seed in stack.wanted]
        stops = stopping_rule(self.plan.upto, self.plan.prune)
        selects = selection_epochs(self.plan.upto, self.plan.prune)
        return Hooks(on_epoch, keeper, phase, self.reporter.step, on_profile, stops, wanted, selects)


def run_record(cell: Cell, seed: int, outcome: Outcome, environment: str, plan: Mapping[str, Any]) -> RunRecord:
    """Return the run of one seed as the store takes it."""
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
