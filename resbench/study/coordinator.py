"""StudySpec -> trials, cells, runs.  Everything is checked before anything is written, written before anything is trained.

Our tables are the truth: a result is saved first, Optuna is told afterwards, and what a crash left between the two is closed
at the next start.
"""

from __future__ import annotations

import os
import socket
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import optuna
import torch

from resbench.compiler.graph import sizes
from resbench.compiler.record import to_json
from resbench.data.dataset import digest
from resbench.data.registry import load
from resbench.errors import ResbenchError
from resbench.spec.recipe import recipe_to_json
from resbench.spec.study import StudySpec
from resbench.store.catalogue import put_architecture, put_cost, put_data, put_environment, put_recipe
from resbench.store.cells import claim_cell, enqueue_cell, fail_cell, finish_cell, requeue_running
from resbench.store.engine import Engine
from resbench.store.records import ArchitectureRecord, Cell, DataRecord, RecipeRecord, TrialRecord
from resbench.store.runs import find_runs, link_run
from resbench.store.studies import put_trial, trials_of_study
from resbench.study.ask import ask, open_optuna, tell, unfinished
from resbench.study.environment import environment
from resbench.study.identity import agree_on_study
from resbench.study.space import Point
from resbench.study.worker import Slots, run_cell
from resbench.train.outcome import Epoch


class Watcher(Protocol):
    """Who looks on while a study runs."""

    def planned(self, cached: int, new: int) -> None: ...

    def epoch(self, unit: str, seed: int, of: int, epoch: Epoch) -> None: ...

    def cell_failed(self, unit: str, error: str) -> None: ...

    def note(self, text: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Plan:
    """A study as the database knows it: trial rows by id, points by trial."""

    study_id: int
    data: str
    points: dict[int, Point]
    numbers: dict[int, int]
    seeds: dict[int, tuple[int, ...]]


def run_study(
    engine: Engine, url: str, spec: StudySpec, points: Sequence[Point], device: torch.device, watch: Watcher
) -> bool:
    """Train what is missing. Returns whether every cell came to its end; one that fails stops no other."""
    searching = open_optuna(url, spec.name)
    plan = _plan(engine, searching, spec, points, watch)
    _reconcile(searching, plan)
    _enqueue(engine, plan, watch)
    requeue_running(engine, plan.study_id)
    slots = Slots.on(device, max(map(len, plan.seeds.values()), default=1))
    where = put_environment(engine, environment(device, slots.threads))
    worker = f"{socket.gethostname()}:{os.getpid()}"
    whole = True
    while (cell := claim_cell(engine, plan.study_id, worker)) is not None:
        whole = _work(engine, plan, cell, slots, where, watch) and whole
        _tell_finished(engine, searching, plan, cell.trial_id)
    for trial_id in plan.points:
        _tell_finished(engine, searching, plan, trial_id)
    return whole


def _plan(engine: Engine, searching: optuna.Study, spec: StudySpec, points: Sequence[Point], watch: Watcher) -> Plan:
    """Write the study, its data, recipes, architectures and trials, each once."""
    data = load(str(spec.data.value))
    data_digest = digest(data)
    n = {name: len(indices) for name, indices in data.splits.items()}
    shape = sizes(data.input_shape)
    study_id = agree_on_study(engine, spec, data_digest, points)
    put_data(engine, DataRecord(data_digest, data.name, shape, data.n_classes, n["train"], n["val"], n["test"]))
    standing = {(t.trial.name, t.trial.architecture, t.trial.recipe): t for t in trials_of_study(engine, study_id)}
    for row in standing.values():
        newer = [p for p in points if p.name == row.trial.name and p.digest != row.trial.architecture]
        if newer and row.trial.active:
            watch.note(f"{row.trial.name} has changed: its earlier runs stay in the database, out of the ranking")
            put_trial(engine, study_id, _inactive(row.trial))
    seeds = _seeds(spec, len(points))
    plan = Plan(study_id, data_digest, {}, {}, {})
    for number, point in enumerate(points):
        put_architecture(engine, _architecture(point, spec))
        put_cost(engine, point.digest, shape, point.macs)
        put_recipe(engine, RecipeRecord(point.recipe.digest, point.recipe.recipe, recipe_to_json(point.recipe)))
        stands = standing.get((point.name, point.digest, point.recipe.digest))
        trial = stands.trial if stands is not None else _trial(ask(searching, point), point, spec, data_digest)
        if not trial.active:
            trial = _trial(trial.number, point, spec, data_digest)
        trial_id = put_trial(engine, study_id, trial)
        plan.points[trial_id], plan.numbers[trial_id] = point, trial.number
        plan.seeds[trial_id] = seeds[number]
    return plan


def _seeds(spec: StudySpec, n_points: int) -> list[tuple[int, ...]]:
    """The seeds of each point; a budget of runs is dealt out seed by seed, so that all points get alike."""
    pairs = [(seed, number) for seed in spec.seeds for number in range(n_points)][: spec.budget.runs]
    return [tuple(seed for seed, owner in pairs if owner == number) for number in range(n_points)]


def _enqueue(engine: Engine, plan: Plan, watch: Watcher) -> None:
    """A cell for each trial with seeds that have no run; runs that stand are linked. An architecture is trained once."""
    cached = new = 0
    planned: set[tuple[str, str, int]] = set()
    for trial_id, point in plan.points.items():
        seeds = plan.seeds[trial_id]
        found = find_runs(engine, point.digest, point.recipe.digest, plan.data, seeds)
        for run in found.values():
            link_run(engine, plan.study_id, trial_id, run.id)
        missing = [seed for seed in seeds if seed not in found]
        fresh = {(point.digest, point.recipe.digest, seed) for seed in missing} - planned
        planned |= fresh
        cached, new = cached + len(seeds) - len(fresh), new + len(fresh)
        if missing:
            enqueue_cell(engine, trial_id, missing)
    watch.planned(cached, new)


def _work(engine: Engine, plan: Plan, cell: Cell, slots: Slots, where: str, watch: Watcher) -> bool:
    point = plan.points.get(cell.trial_id)
    unit = point.name if point is not None else cell.architecture
    epochs = point.recipe.epochs or 0 if point is not None else 0
    try:
        run_cell(
            engine, plan.study_id, cell, slots, where,
            lambda seed: lambda epoch: watch.epoch(unit, seed, epochs, epoch),
        )  # fmt: skip
    except ResbenchError:
        fail_cell(engine, cell, "stopped by an error of the study")
        raise
    except Exception as error:  # whatever a unit does, the others go on
        fail_cell(engine, cell, traceback.format_exc())
        watch.cell_failed(unit, f"{type(error).__name__}: {error}")
        return False
    finish_cell(engine, cell)
    return True


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


def _reconcile(searching: optuna.Study, plan: Plan) -> None:
    """A trial that Optuna was asked for and that never reached our tables is closed as failed."""
    for number in set(unfinished(searching)) - set(plan.numbers.values()):
        tell(searching, number, None)


def _architecture(point: Point, spec: StudySpec) -> ArchitectureRecord:
    return ArchitectureRecord(point.digest, point.bound.name, point.unit, to_json(point.bound), point.params)


def _trial(number: int, point: Point, spec: StudySpec, data: str) -> TrialRecord:
    return TrialRecord(
        number, point.name, point.unit, point.bound.name, dict(point.labels), point.digest, point.recipe.digest, data
    )


def _inactive(trial: TrialRecord) -> TrialRecord:
    return TrialRecord(
        trial.number,
        trial.name,
        trial.unit,
        trial.network,
        trial.params,
        trial.architecture,
        trial.recipe,
        trial.data,
        False,
    )
