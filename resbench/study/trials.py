"""A study's points -> its data, recipes, architectures and trials in the database, each once.

Optuna is asked for the trials, and its study is in the same database; our rows are the truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from resbench.compiler.identity.depth import depth
from resbench.compiler.identity.serialize import to_json
from resbench.failpoints import Failpoint, reach
from resbench.language.recipe.recipe import recipe_to_json
from resbench.search.point import Point
from resbench.store.open import Engine
from resbench.store.records import ArchitectureRecord, Lease, RecipeRecord, TrialRecord, TrialRow
from resbench.store.results.catalogue import has_cost, put_architecture, put_cost, put_data, put_recipe
from resbench.store.results.studies import put_trial, trials_of_study
from resbench.study.identity import agree_on_study
from resbench.study.optuna_mirror import OptunaStudy, ask, catch_up, close_lost, show_units, space_of
from resbench.study.request import StudyRequest
from resbench.study.resources.resources import Resources
from resbench.workers.events import Progress


class TrialRegistry:
    """The trials of a study, as the database and Optuna know them.

    Attributes:
        study_id: The study's number; 0 before `agree`.
        points: Of each trial, by its id.
        numbers: Optuna's number of each trial, by its id.
    """

    def __init__(
        self, engine: Engine, request: StudyRequest, resources: Resources, role: Lease, optuna: OptunaStudy
    ) -> None:
        self.engine, self.request, self.resources, self.role, self.optuna = engine, request, resources, role, optuna
        self.data = resources.data
        self.study_id = 0
        self.points: dict[int, Point] = {}
        self.numbers: dict[int, int] = {}

    def agree(self, points: Sequence[Point]) -> None:
        """Make the study's row, or bring it up to date, with these points."""
        digest = self.data.digest
        self.study_id = agree_on_study(self.engine, self.request, points, self.role, data_digest=digest)

    def open(self, points: Sequence[Point], progress: Progress) -> list[TrialRow]:
        """Bring the study and its trials to what they are now. Returns the trials.

        Args:
            points: All that the study names, or none where a search finds them.
            progress: Shown what is no longer of the study.

        Raises:
            BadInput: Where the database holds another study of that name.
            LeaseLost: Where the role is lost.
        """
        self.agree(points)
        reach(Failpoint.STUDY_AGREED)
        put_data(self.engine, self.data)
        self.deactivate(points, progress)
        rows = trials_of_study(self.engine, self.study_id)
        catch_up(self.optuna, [row.trial for row in rows])
        now = {point.name: (point.digest, point.recipe.digest) for point in points}
        # What has changed is over; what is not named now may be again, and its trial goes on then.
        lasting = [
            t
            for t in (row.trial for row in rows)
            if t.active or now.get(t.name, (t.architecture, t.recipe)) == (t.architecture, t.recipe)
        ]
        close_lost(self.optuna, [trial.number for trial in lasting])
        return rows

    def register(self, points: Sequence[Point]) -> dict[str, int]:
        """Give each point its trial, the one that is there or a new one. Returns their ids by the points' names."""
        rows = trials_of_study(self.engine, self.study_id)
        known = {(row.trial.name, row.trial.architecture, row.trial.recipe): row.trial for row in rows}
        space = space_of(self.optuna, points)
        ids: dict[str, int] = {}
        for point in points:
            self._catalogue(point)
            trial = known.get((point.name, point.digest, point.recipe.digest))
            if trial is None:
                trial = _trial(ask(self.optuna, point, space), point, self.data.digest)
            reach(Failpoint.TRIAL_ASKED)
            trial_id = put_trial(self.engine, self.study_id, replace(trial, active=True), self.role)
            reach(Failpoint.TRIAL_WRITTEN)
            self.points[trial_id], self.numbers[trial_id] = point, trial.number
            ids[point.name] = trial_id
        show_units(self.engine, self.request.spec.name, self.role)
        return ids

    def deactivate(self, points: Sequence[Point], progress: Progress) -> None:
        """Take out of the study what is not of it today: a point that is named no more, or whose file or recipe has changed.

        Of a search, which finds its points one after the other, only what a point of the same name has replaced.
        """
        now = {point.name: (point.digest, point.recipe.digest) for point in points}
        for row in trials_of_study(self.engine, self.study_id):
            trial = row.trial
            if not trial.active:
                continue
            if trial.name not in now:
                if not self.request.spec.search.is_grid:
                    continue
                progress.note(
                    f"{trial.name} is not named any more: its runs stay in the database, out of the ranking; named again, "
                    "it is back"
                )
            elif now[trial.name] != (trial.architecture, trial.recipe):
                progress.note(f"{trial.name} has changed: its earlier runs stay in the database, out of the ranking")
            else:
                continue
            put_trial(self.engine, self.study_id, replace(trial, active=False), self.role)

    def _catalogue(self, point: Point) -> None:
        engine, shape = self.engine, self.data.input_shape
        record = to_json(point.bound), point.params, depth(point.bound)
        put_architecture(engine, ArchitectureRecord(point.digest, point.bound.name, point.unit, *record))
        if not has_cost(engine, point.digest, shape):
            put_cost(engine, point.digest, shape, point.macs, self.resources.memory_mib(point))
        put_recipe(engine, RecipeRecord(point.recipe.digest, point.recipe.recipe, recipe_to_json(point.recipe)))


def _trial(number: int, point: Point, data: str) -> TrialRecord:
    labels = dict(point.labels)
    return TrialRecord(
        number, point.name, point.unit, point.bound.name, labels, point.digest, point.recipe.digest, data
    )
