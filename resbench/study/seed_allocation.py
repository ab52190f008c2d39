"""A study's budget and what it has spent -> the points and the seeds that there is room for. Totals, exact."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from resbench.language.study.study import StudySpec
from resbench.search.point import Point
from resbench.store.open import Engine
from resbench.store.records import TRAINED_STATUSES, TrialRow
from resbench.store.results.reading import runs_of_study
from resbench.workers.events import Watcher

Identity = tuple[str, str, int]  # of a run of the study: architecture, recipe, seed


def within_trials(
    spec: StudySpec, points: Sequence[Point], standing: Collection[TrialRow], watch: Watcher
) -> list[Point]:
    """The points that the budget of trials has room for; trials that the study has count first, also of other units."""
    active = {(row.trial.name, row.trial.architecture, row.trial.recipe) for row in standing if row.trial.active}
    new = [p for p in points if (p.name, p.digest, p.recipe.digest) not in active]
    room = len(new) if spec.budget.trials is None else max(0, spec.budget.trials - len(active))
    if len(new) > room:
        watch.note(f"the budget is {spec.budget.trials} trials: {', '.join(p.name for p in new[room:])} left out")
    return [point for point in points if point not in new[room:]]


def deal_seeds(engine: Engine, spec: StudySpec, points: Sequence[Point], watch: Watcher) -> list[tuple[int, ...]]:
    """The seeds of each point. A budget of runs is dealt out seed by seed, so that all points get alike; points of one
    architecture share their runs, and runs that the study has count first, also those of units not named this time.
    """
    wanted = dict.fromkeys((p.digest, p.recipe.digest, seed) for seed in spec.seeds for p in points)
    stands = [run for run in runs_of_study(engine, spec.name) if run.status in TRAINED_STATUSES]
    spent: set[Identity] = {(run.digest, run.recipe_digest, run.seed) for run in stands}
    dealt = sorted(wanted, key=lambda run: run not in spent)
    if spec.budget.runs is not None:
        dealt = dealt[: max(0, spec.budget.runs - len(spent - set(wanted)))]
    if len(dealt) < len(wanted):
        watch.note(f"the budget is {spec.budget.runs} runs: {len(wanted) - len(dealt)} of {len(wanted)} are left out")
    chosen = set(dealt)
    return [tuple(s for s in spec.seeds if (p.digest, p.recipe.digest, s) in chosen) for p in points]
