"""StudySpec -> trials, cells, runs.  Everything is checked before anything is written, written before anything is trained.

Our tables are the truth: a result is saved first, Optuna is told afterwards, and what a crash left between the two is closed
at the next start.
"""

from __future__ import annotations

import os
import socket
import traceback
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import optuna
import torch

from resbench.compiler.graph import sizes
from resbench.compiler.record import to_json
from resbench.data.dataset import digest
from resbench.data.registry import load
from resbench.errors import BadInput, DatabaseError, ResbenchError, StorageError
from resbench.plugins.load import blamed
from resbench.spec.recipe import recipe_to_json
from resbench.spec.study import StudySpec
from resbench.store.catalogue import put_architecture, put_cost, put_data, put_environment, put_recipe
from resbench.store.cells import claim_cell, claimants, enqueue_cell, fail_cell, finish_cell, requeue_running
from resbench.store.engine import Engine
from resbench.store.records import ArchitectureRecord, Cell, DataRecord, RecipeRecord, TrialRecord, TrialRow
from resbench.store.runs import find_runs, link_run
from resbench.store.studies import put_trial, trials_of_study
from resbench.study.ask import ask, close_lost, open_optuna, space_of, tell
from resbench.study.budget import Identity, deal_seeds, within_trials
from resbench.study.environment import environment
from resbench.study.identity import agree_on_study
from resbench.study.job import Slots
from resbench.study.space import Point
from resbench.study.watcher import Watcher
from resbench.study.worker import Worker, work
from resbench.train.device import repeatable
from resbench.train.outcome import Epoch, Outcome


@dataclass(frozen=True, slots=True)
class Plan:
    """A study as the database knows it: trial rows by id, points by trial."""

    study_id: int
    data: str
    points: dict[int, Point]
    numbers: dict[int, int]
    seeds: dict[int, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class _Cells:
    """The study's cells for a worker, and what it tells of them: told on with the unit's name, closed in our tables."""

    engine: Engine
    searching: optuna.Study
    plan: Plan
    worker: str
    watch: Watcher
    failed: list[Cell]

    def claim(self) -> Cell | None:
        return claim_cell(self.engine, self.plan.study_id, self.worker)

    def epoch(self, cell: Cell, seed: int, epoch: Epoch) -> None:
        point = self.plan.points[cell.trial_id]
        self.watch.epoch(point.name, seed, point.epochs, epoch)

    def saved(self, cell: Cell, seed: int, outcome: Outcome) -> None:
        point = self.plan.points[cell.trial_id]
        self.watch.saved(point.name, seed, point.epochs, outcome)

    def ended(self, cell: Cell, error: BaseException | None) -> None:
        """Whatever a unit does, the others go on; only where nothing more can be saved, or is wanted, does the study end."""
        if error is None:
            finish_cell(self.engine, cell)
            _tell_finished(self.engine, self.searching, self.plan, cell.trial_id)
        elif isinstance(error, DatabaseError | StorageError | KeyboardInterrupt):
            with suppress(ResbenchError):
                fail_cell(self.engine, cell, f"given up: {error or 'Ctrl-C'}")
        else:
            self.failed.append(cell)
            fail_cell(self.engine, cell, "".join(traceback.format_exception(error)))
            told = str(blamed(error) or f"{type(error).__name__}: {error}")
            self.watch.cell_failed(self.plan.points[cell.trial_id].name, told)


def run_study(
    engine: Engine, url: str, spec: StudySpec, points: Sequence[Point], device: torch.device, watch: Watcher
) -> bool:
    """Train what is missing. Returns whether every cell came to its end; one that fails stops no other."""
    searching = open_optuna(url, spec.name)
    plan = _plan(engine, searching, spec, points, watch)
    worker = f"{socket.gethostname()}:{os.getpid()}"
    _withdraw(engine, plan.study_id, worker)
    _enqueue(engine, plan, watch)
    slots = Slots.on(device, sum(map(len, plan.seeds.values())))
    repeatable(device)
    where = put_environment(engine, environment(device, slots.threads))
    cells = _Cells(engine, searching, plan, worker, watch, [])
    work(Worker(engine, plan.study_id, slots, where), cells)
    for trial_id in plan.points:
        _tell_finished(engine, searching, plan, trial_id)
    return not cells.failed


def _plan(engine: Engine, searching: optuna.Study, spec: StudySpec, points: Sequence[Point], watch: Watcher) -> Plan:
    """Write the study, its data, recipes, architectures and trials, each once."""
    data = load(str(spec.data.value))
    data_digest = digest(data)
    n = {name: len(indices) for name, indices in data.splits.items()}
    shape = sizes(data.input_shape)
    space = space_of(searching, points)
    study_id = agree_on_study(engine, spec, data_digest, points)
    put_data(engine, DataRecord(data_digest, data.name, shape, data.n_classes, n["train"], n["val"], n["test"]))
    standing = {(t.trial.name, t.trial.architecture, t.trial.recipe): t for t in trials_of_study(engine, study_id)}
    _retire(engine, study_id, standing.values(), points, watch)
    rows = trials_of_study(engine, study_id)
    close_lost(searching, [row.trial.number for row in rows if row.trial.active])
    points = within_trials(spec, points, rows, watch)
    plan = Plan(study_id, data_digest, {}, {}, {})
    for point, seeds in zip(points, deal_seeds(engine, spec, points, watch), strict=True):
        if not seeds:
            continue
        put_architecture(engine, _architecture(point))
        put_cost(engine, point.digest, shape, point.macs)
        put_recipe(engine, RecipeRecord(point.recipe.digest, point.recipe.recipe, recipe_to_json(point.recipe)))
        stands = standing.get((point.name, point.digest, point.recipe.digest))
        trial = stands.trial if stands is not None else _trial(ask(searching, point, space), point, data_digest)
        trial_id = put_trial(engine, study_id, replace(trial, active=True))
        plan.points[trial_id], plan.numbers[trial_id], plan.seeds[trial_id] = point, trial.number, seeds
    return plan


def _retire(
    engine: Engine, study_id: int, standing: Collection[TrialRow], points: Sequence[Point], watch: Watcher
) -> None:
    """Take out of the study what a point of the same name has replaced: its file was edited."""
    now = {point.name: point.digest for point in points}
    for trial in (row.trial for row in standing if row.trial.active):
        if now.get(trial.name, trial.architecture) != trial.architecture:
            watch.note(f"{trial.name} has changed: its earlier runs stay in the database, out of the ranking")
            put_trial(engine, study_id, replace(trial, active=False))


def _withdraw(engine: Engine, study_id: int, worker: str) -> None:
    """Close the cells that an earlier start left open; what is still wanted of them is queued anew.

    Raises BadInput while that start is alive: until cells have leases, one process runs a study.
    """
    for other in claimants(engine, study_id):
        host, _, pid = other.rpartition(":")
        if other != worker and host == socket.gethostname() and _alive(int(pid)):
            raise BadInput(f"this study is being run by process {pid} on this machine; wait for it, or stop it first")
    requeue_running(engine, study_id)
    while (cell := claim_cell(engine, study_id, worker)) is not None:
        fail_cell(engine, cell, "given up: its process ended before it did")


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's, so it is there
        return True
    return True


def _enqueue(engine: Engine, plan: Plan, watch: Watcher) -> None:
    """A cell for each trial with seeds that have no run; runs that stand are linked. An architecture is trained once."""
    cached: set[Identity] = set()
    new: set[Identity] = set()
    for trial_id, point in plan.points.items():
        seeds = plan.seeds[trial_id]
        found = find_runs(engine, point.digest, point.recipe.digest, plan.data, seeds)
        for run in found.values():
            link_run(engine, plan.study_id, trial_id, run.id)
        missing = [seed for seed in seeds if seed not in found]
        cached |= {(point.digest, point.recipe.digest, seed) for seed in found}
        new |= {(point.digest, point.recipe.digest, seed) for seed in missing}
        if missing:
            enqueue_cell(engine, trial_id, missing)
    watch.planned(len(cached), len(new))


def _tell_finished(engine: Engine, searching: optuna.Study, plan: Plan, trial_id: int) -> None:
    """Optuna gets the mean over converged runs once every seed of the trial has one; FAIL where under half converged."""
    point = plan.points.get(trial_id)
    if point is None:
        return
    runs = find_runs(engine, point.digest, point.recipe.digest, plan.data, plan.seeds[trial_id])
    if len(runs) < len(plan.seeds[trial_id]) or not runs:
        return
    errors = [run.val_error_pct for run in runs.values() if run.status == "complete" and run.val_error_pct is not None]
    tell(searching, plan.numbers[trial_id], sum(errors) / len(errors) if 2 * len(errors) >= len(runs) else None)


def _architecture(point: Point) -> ArchitectureRecord:
    return ArchitectureRecord(point.digest, point.bound.name, point.unit, to_json(point.bound), point.params)


def _trial(number: int, point: Point, data: str) -> TrialRecord:
    return TrialRecord(
        number, point.name, point.unit, point.bound.name, dict(point.labels), point.digest, point.recipe.digest, data
    )
