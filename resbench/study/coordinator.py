"""StudySpec -> trials, cells, runs.  Everything is checked before anything is written, written before anything is trained.

Our tables are the truth: a result is saved first, Optuna is told afterwards, and what a crash left between the two is closed
at the next start.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import optuna

from resbench.compiler.graph import sizes
from resbench.compiler.record import to_json
from resbench.measure.memory import memory_mib
from resbench.spec.node import values
from resbench.spec.recipe import recipe_to_json
from resbench.spec.study import StudySpec
from resbench.store.catalogue import has_cost, put_architecture, put_cost, put_data, put_recipe
from resbench.store.cells import enqueue_cell
from resbench.store.engine import Engine
from resbench.store.records import ArchitectureRecord, DataRecord, RecipeRecord, TrialRecord, TrialRow
from resbench.store.runs import find_runs, link_run
from resbench.store.studies import put_trial, trials_of_study
from resbench.study.ask import ask, catch_up, close_lost, open_optuna, space_of, tell
from resbench.study.budget import Identity, deal_seeds, within_trials
from resbench.study.data import loaded
from resbench.study.identity import agree_on_study
from resbench.study.left_over import withdraw
from resbench.study.planning import Planner, blocks, cores, early, workers
from resbench.study.profile import Machine
from resbench.study.space import Point
from resbench.study.stages import first_seeds, is_over, stages
from resbench.study.team import Team, name_of
from resbench.study.watcher import Watcher
from resbench.train.device import repeatable
from resbench.train.outcome import Epoch, Outcome
from resbench.train.plan import Plan as CellPlan
from resbench.train.ranks import part

Ways = Mapping[int, tuple[tuple[int, ...], CellPlan]]  # of each trial, by id: seeds to train, and how


@dataclass(frozen=True, slots=True)
class Plan:
    """A study as the database knows it: trial rows by id, points by trial."""

    study_id: int
    data: str
    n_train: int
    points: dict[int, Point]
    numbers: dict[int, int]
    seeds: dict[int, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class _Onlooker:
    """What workers tell of cells: told on with the unit's name, and closed in Optuna's study."""

    engine: Engine
    searching: optuna.Study
    plan: Plan
    watch: Watcher
    failed: list[int]
    racing: bool

    def epoch(self, trial_id: int, seed: int, epoch: Epoch) -> None:
        point = self.plan.points[trial_id]
        self.watch.epoch(point.name, seed, point.epochs, epoch)

    def saved(self, trial_id: int, seed: int, outcome: Outcome) -> None:
        point = self.plan.points[trial_id]
        self.watch.saved(point.name, seed, point.epochs, outcome)

    def ended(self, trial_id: int, error: str | None) -> None:
        """Whatever a unit does, the others go on."""
        if error is None:
            if not self.racing:  # a race may go on, and Optuna is told a value once
                _tell_finished(self.engine, self.searching, self.plan, trial_id)
        else:
            self.failed.append(trial_id)
            self.watch.cell_failed(self.plan.points[trial_id].name, error)

    def note(self, trial_id: int, text: str) -> None:
        point = self.plan.points.get(trial_id)
        self.watch.note(text if point is None else f"{point.name}: {text}")


def run_study(
    engine: Engine, url: str, spec: StudySpec, points: Sequence[Point], machine: Machine, watch: Watcher
) -> bool:
    """Train what is missing. Returns whether every cell came to its end; one that fails stops no other."""
    searching = open_optuna(url, spec.name)
    plan = _plan(engine, searching, spec, points, watch)
    name = name_of(socket.gethostname(), os.getpid())
    withdraw(engine, plan.study_id, name)
    repeatable(machine.device)
    onlooker = _Onlooker(engine, searching, plan, watch, [], spec.design.race is not None)
    for dealt in stages(engine, spec, plan.points, plan.seeds, onlooker.failed, watch):
        plan.seeds.update(dealt)
        missing = _missing(engine, plan, watch)
        if missing:
            with Team(engine, url, plan.study_id, socket.gethostname(), machine, onlooker) as team:
                _train(team, plan, missing, onlooker)
        for trial_id in plan.points:
            _link(engine, plan, trial_id)
    for trial_id in plan.points if is_over(engine, spec) else ():
        _tell_finished(engine, searching, plan, trial_id)
    return not onlooker.failed


def _train(team: Team, plan: Plan, missing: Mapping[int, tuple[int, ...]], onlooker: _Onlooker) -> None:
    """Measure, put the cells in the table, and train them all."""
    engine, device = team.engine, team.machine.device
    work = [(plan.points[trial_id], len(seeds)) for trial_id, seeds in missing.items()]
    team.start_early(early(work, plan.n_train, device))
    alone = len(work) < cores() or part().of > 1
    planner = Planner(engine, plan.data, plan.n_train, device, cores() if alone else 1)
    ways = {i: (seeds, planner.plan(plan.points[i], len(seeds))) for i, seeds in missing.items()}
    hows = [how for _, how in ways.values()]
    for reason in dict.fromkeys(how.not_compiled for how in hows if how.not_compiled):
        onlooker.watch.note(f"not compiled: {reason}")
    size = workers(work, hows, plan.n_train, device)
    _enqueue(engine, ways, split=size > 1)
    team.run(size)


def _plan(engine: Engine, searching: optuna.Study, spec: StudySpec, points: Sequence[Point], watch: Watcher) -> Plan:
    """Write the study, its data, recipes, architectures and trials, each once."""
    settings = values(spec.data.given)
    data, data_digest = loaded(str(spec.data.name), settings)
    n = {name: len(indices) for name, indices in data.splits.items()}
    shape = sizes(data.input_shape)
    space = space_of(searching, points)
    study_id = agree_on_study(engine, spec, data_digest, points)
    put_data(
        engine,
        DataRecord(data_digest, data.name, shape, data.n_classes, n["train"], n["val"], n["test"], settings),
    )
    standing = {(t.trial.name, t.trial.architecture, t.trial.recipe): t for t in trials_of_study(engine, study_id)}
    _retire(engine, study_id, standing.values(), points, spec.design.race is not None, watch)
    rows = trials_of_study(engine, study_id)
    catch_up(searching, [row.trial for row in rows])
    close_lost(searching, [row.trial.number for row in rows if row.trial.active])
    points = within_trials(spec, points, rows, watch)
    plan = Plan(study_id, data_digest, n["train"], {}, {}, {})
    for point, seeds in zip(points, deal_seeds(engine, first_seeds(spec), points, watch), strict=True):
        if not seeds:
            continue
        put_architecture(engine, _architecture(point))
        if not has_cost(engine, point.digest, shape):
            put_cost(engine, point.digest, shape, point.macs, memory_mib(point.bound))
        put_recipe(engine, RecipeRecord(point.recipe.digest, point.recipe.recipe, recipe_to_json(point.recipe)))
        stands = standing.get((point.name, point.digest, point.recipe.digest))
        trial = stands.trial if stands is not None else _trial(ask(searching, point, space), point, data_digest)
        trial_id = put_trial(engine, study_id, replace(trial, active=True))
        plan.points[trial_id], plan.numbers[trial_id], plan.seeds[trial_id] = point, trial.number, seeds
    return plan


def _retire(
    engine: Engine, study_id: int, standing: Collection[TrialRow], points: Sequence[Point], race: bool, watch: Watcher
) -> None:
    """Take out of the study what a point of the same name has replaced: its file was edited. A race waits for all that are in it,
    so there also what is no longer named.
    """
    now = {point.name: point.digest for point in points}
    for trial in (row.trial for row in standing if row.trial.active):
        if race and trial.name not in now:
            watch.note(f"{trial.name} is not named any more, and out of the race: its runs stay in the database")
            put_trial(engine, study_id, replace(trial, active=False))
        elif now.get(trial.name, trial.architecture) != trial.architecture:
            watch.note(f"{trial.name} has changed: its earlier runs stay in the database, out of the ranking")
            put_trial(engine, study_id, replace(trial, active=False))


def _missing(engine: Engine, plan: Plan, watch: Watcher) -> dict[int, tuple[int, ...]]:
    """The seeds of each trial, by id, that have no run; runs that stand are linked.

    An architecture is trained once, for the first trial that has it.
    """
    cached: set[Identity] = set()
    new: set[Identity] = set()
    wanted: dict[int, tuple[int, ...]] = {}
    for trial_id, point in plan.points.items():
        stands = _link(engine, plan, trial_id)
        runs = [(point.digest, point.recipe.digest, seed) for seed in plan.seeds[trial_id]]
        cached |= {run for run in runs if run[2] in stands}
        missing = tuple(run[2] for run in runs if run not in cached and run not in new)
        new |= {run for run in runs if run not in cached}
        if missing:
            wanted[trial_id] = missing
    watch.planned(len(cached), len(new))
    return wanted


def _enqueue(engine: Engine, ways: Ways, *, split: bool) -> None:
    """A cell for each trial, or for each of its blocks where several workers share them."""
    for trial_id, (seeds, how) in ways.items():
        for block in blocks(seeds, how.width) if split else [seeds]:
            enqueue_cell(engine, trial_id, block, how.record())


def _link(engine: Engine, plan: Plan, trial_id: int) -> set[int]:
    """Let the study show the runs that stand under the trial. Returns their seeds."""
    point = plan.points[trial_id]
    found = find_runs(engine, point.digest, point.recipe.digest, plan.data, plan.seeds[trial_id])
    for run in found.values():
        link_run(engine, plan.study_id, trial_id, run.id)
    return set(found)


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
