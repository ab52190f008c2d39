"""A study's budget and what it has spent -> the points and the seeds that there is room for. Totals, exact."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from resbench.language.study.study import StudySpec
from resbench.search.point import Point
from resbench.search.stage import SeedsByTrial
from resbench.store.open import Engine
from resbench.store.records import TRAINED_STATUSES, TrialRow
from resbench.store.results.reading import runs_of_study
from resbench.workers.events import Progress

RunKey = tuple[str, str, int]  # of a run of the study: architecture, recipe, seed


def within_trial_budget(
    spec: StudySpec, points: Sequence[Point], rows: Collection[TrialRow], progress: Progress
) -> list[Point]:
    """Return the points that the budget of trials has room for.

    Trials that the study has, `rows`, count first, also of other units.
    """
    active = {(row.trial.name, row.trial.architecture, row.trial.recipe) for row in rows if row.trial.active}
    new = [p for p in points if (p.name, p.digest, p.recipe.digest) not in active]
    room = len(new) if spec.budget.trials is None else max(0, spec.budget.trials - len(active))
    if len(new) > room:
        progress.note(f"the budget is {spec.budget.trials} trials: {', '.join(p.name for p in new[room:])} left out")
    return [point for point in points if point not in new[room:]]


def allocate_seeds(
    engine: Engine, spec: StudySpec, points: Mapping[int, Point], seeds: Sequence[int], progress: Progress
) -> SeedsByTrial:
    """Return the seeds of each point, by the key that `points` has for it.

    A budget of runs is dealt out seed by seed, so that all points get alike; points of one architecture share their runs, and
    runs that the study has count first, also those of units that are not named this time.
    """
    wanted = dict.fromkeys((p.digest, p.recipe.digest, seed) for seed in seeds for p in points.values())
    runs = [run for run in runs_of_study(engine, spec.name) if run.status in TRAINED_STATUSES]
    spent: set[RunKey] = {(run.digest, run.recipe_digest, run.seed) for run in runs}
    allowed = sorted(wanted, key=lambda run: run not in spent)
    if spec.budget.runs is not None:
        allowed = allowed[: max(0, spec.budget.runs - len(spent - set(wanted)))]
    if len(allowed) < len(wanted):
        progress.note(
            f"the budget is {spec.budget.runs} runs: {len(wanted) - len(allowed)} of {len(wanted)} are left out"
        )
    chosen = set(allowed)
    return {
        key: tuple(seed for seed in seeds if (p.digest, p.recipe.digest, seed) in chosen) for key, p in points.items()
    }
