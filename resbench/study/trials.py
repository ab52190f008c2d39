"""StudySpec and its points -> the study, its data, recipes, architectures and trials in the database, each once.

Optuna is asked for the trials, and its study stands in the same database; our rows are the truth.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from resbench.compiler.identity.depth import depth
from resbench.compiler.identity.serialize import to_json
from resbench.failpoints import Failpoint, reach
from resbench.language.recipe.recipe import recipe_to_json
from resbench.search.point import Point
from resbench.store.records import ArchitectureRecord, DataRecord, RecipeRecord, TrialRecord, TrialRow
from resbench.store.results.catalogue import has_cost, put_architecture, put_cost, put_data, put_recipe
from resbench.store.results.studies import put_trial, trials_of_study
from resbench.study.context import Desk
from resbench.study.identity import agree_on_study
from resbench.study.optuna_mirror import Searching, ask, catch_up, close_lost, show_units, space_of
from resbench.study.racing import first_seeds
from resbench.study.seed_allocation import deal_seeds, within_trials


@dataclass(frozen=True, slots=True)
class Roll:
    """A study as the database knows it: its trials by id, with Optuna's number, point and seeds of each."""

    study_id: int
    data: DataRecord
    points: dict[int, Point]
    numbers: dict[int, int]
    seeds: dict[int, tuple[int, ...]]


def enrol(desk: Desk, searching: Searching, points: Sequence[Point]) -> Roll:
    """The study itself, and what its trials are now. `points`: all that it names, or none where a search finds them.

    Raises BadInput where the database holds another study of that name, Fenced where the role is lost.
    """
    engine, spec, data = desk.engine, desk.spec, desk.means.data
    study_id = agree_on_study(desk, points)
    reach(Failpoint.STUDY_AGREED)
    put_data(engine, data)
    retire(desk, study_id, trials_of_study(engine, study_id), points)
    rows = trials_of_study(engine, study_id)
    catch_up(searching, [row.trial for row in rows])
    now = {point.name: (point.digest, point.recipe.digest) for point in points}
    # What has changed is over; what is not named now may be again, and its trial goes on then.
    lasting = [
        t
        for t in (row.trial for row in rows)
        if t.active or now.get(t.name, (t.architecture, t.recipe)) == (t.architecture, t.recipe)
    ]
    close_lost(searching, [trial.number for trial in lasting])
    roll = Roll(study_id, data, {}, {}, {})
    if spec.search.is_grid:
        points = within_trials(spec, points, rows, desk.watch)
        seeds = deal_seeds(engine, first_seeds(spec), points, desk.watch)
        add_points(desk, searching, roll, [point for point, own in zip(points, seeds, strict=True) if own])
        by_name = {point.name: own for point, own in zip(points, seeds, strict=True)}
        roll.seeds.update({trial_id: by_name[point.name] for trial_id, point in roll.points.items()})
    return roll


def add_points(desk: Desk, searching: Searching, roll: Roll, points: Sequence[Point]) -> dict[str, int]:
    """A trial for each, the one that stands or a new one. Returns their ids by the points' names."""
    engine = desk.engine
    rows = trials_of_study(engine, roll.study_id)
    standing = {(t.trial.name, t.trial.architecture, t.trial.recipe): t for t in rows}
    space = space_of(searching, points)
    ids: dict[str, int] = {}
    for point in points:
        _catalogue(desk, point)
        stands = standing.get((point.name, point.digest, point.recipe.digest))
        trial = stands.trial if stands is not None else _trial(ask(searching, point, space), point, roll.data.digest)
        reach(Failpoint.TRIAL_ASKED)
        trial_id = put_trial(engine, roll.study_id, replace(trial, active=True), desk.role)
        reach(Failpoint.TRIAL_WRITTEN)
        roll.points[trial_id], roll.numbers[trial_id] = point, trial.number
        ids[point.name] = trial_id
    show_units(desk)
    return ids


def retire(desk: Desk, study_id: int, standing: Collection[TrialRow], points: Sequence[Point]) -> None:
    """Take out of the study what is not of it today: a point that is named no more, or whose file or recipe has changed. Of a
    search, which finds its points one after the other, what a point of the same name has replaced.
    """
    now = {point.name: (point.digest, point.recipe.digest) for point in points}
    for trial in (row.trial for row in standing if row.trial.active):
        if trial.name not in now:
            if not desk.spec.search.is_grid:
                continue
            desk.watch.note(
                f"{trial.name} is not named any more: its runs stay in the database, out of the ranking; named again, it is back"
            )
        elif now[trial.name] != (trial.architecture, trial.recipe):
            desk.watch.note(f"{trial.name} has changed: its earlier runs stay in the database, out of the ranking")
        else:
            continue
        put_trial(desk.engine, study_id, replace(trial, active=False), desk.role)


def _catalogue(desk: Desk, point: Point) -> None:
    engine, shape = desk.engine, desk.means.data.input_shape
    record = to_json(point.bound), point.params, depth(point.bound)
    put_architecture(engine, ArchitectureRecord(point.digest, point.bound.name, point.unit, *record))
    if not has_cost(engine, point.digest, shape):
        put_cost(engine, point.digest, shape, point.macs, desk.means.memory_mib(point))
    put_recipe(engine, RecipeRecord(point.recipe.digest, point.recipe.recipe, recipe_to_json(point.recipe)))


def _trial(number: int, point: Point, data: str) -> TrialRecord:
    labels = dict(point.labels)
    return TrialRecord(
        number, point.name, point.unit, point.bound.name, labels, point.digest, point.recipe.digest, data
    )
