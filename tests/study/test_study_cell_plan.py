"""A cell's plan and its JSON: what is kept comes back, what a later version wrote is kept, what cannot be a plan is refused."""

from __future__ import annotations

from typing import Any

import pytest
from command_line import Database, Rb

from resbench.errors import DatabaseError
from resbench.language.recipe.execution import PlanSpec
from resbench.search.stage import StudyStage
from resbench.store.open import open_store
from resbench.store.queue.cells import enqueue_cell
from resbench.workers.cell_plan import CellLimits, CellPlan

TRAINING = {"width": 5, "layout": "channels_last", "threads": 1, "step_s": None}
SAID = PlanSpec(cell_s=30.0, profile=(0, 2))


def test_the_keys_are_those_of_every_version() -> None:
    """A database keeps them; two versions of resbench may train cells of one study."""
    stage = StudyStage({}, upto=3, judges=False, prune={"above": {"2": 40.0}, "from": 2})
    plan = CellPlan(TRAINING, needs_bytes=7).for_stage(stage, SAID, workers=2)
    own = {"said": SAID.model_dump(mode="json"), "workers": 2, "needs_bytes": 7, "upto": 3, "judges": False}
    assert plan.to_json() == {**TRAINING, **own, "prune": {"above": {"2": 40.0}, "from": 2}}
    whole = CellPlan(TRAINING).for_stage(StudyStage({}), SAID, workers=0)
    assert whole.to_json() == {**TRAINING, "said": SAID.model_dump(mode="json"), "workers": 0}


@pytest.mark.parametrize(
    "stage", [StudyStage({}), StudyStage({}, 3, judges=False), StudyStage({}, prune={"epochs": 1})]
)
def test_what_is_kept_comes_back(stage: StudyStage) -> None:
    plan = CellPlan(TRAINING, needs_bytes=7).for_stage(stage, SAID, workers=2)
    assert CellPlan.from_json(plan.to_json()) == plan
    assert plan.is_current(stage, SAID)


def test_it_is_not_current_for_another_stage_or_recipe() -> None:
    plan = CellPlan(TRAINING).for_stage(StudyStage({}, upto=3), SAID, workers=2)
    assert not plan.is_current(StudyStage({}), SAID)
    assert not plan.is_current(StudyStage({}, upto=3, judges=False), SAID)
    assert not plan.is_current(StudyStage({}, upto=3, prune={"epochs": 1}), SAID)
    assert not plan.is_current(StudyStage({}, upto=3), PlanSpec())


def test_what_the_recipe_says_of_limits_and_profiles() -> None:
    plan = CellPlan(TRAINING).for_stage(StudyStage({}), SAID, workers=2)
    assert plan.limits == CellLimits(cell_s=30.0)
    assert list(plan.profile_epochs) == [0, 2]
    bare = CellPlan.from_json({})  # of a version that kept nothing of this
    assert (bare.limits, list(bare.profile_epochs), bare.width) == (CellLimits(), [], 1)


def test_a_key_of_a_later_version_goes_on_to_the_runs() -> None:
    plan = CellPlan.from_json({"width": 2, "said": {"of_later": 1}, "later": [1], "upto": 4})
    assert dict(plan.training) == {"width": 2, "later": [1]}
    assert plan.to_json() == {"width": 2, "later": [1], "said": {"of_later": 1}, "upto": 4}


@pytest.mark.parametrize(
    ("key", "value"),
    [("said", "x"), ("upto", "3"), ("prune", [1]), ("judges", 1), ("needs_bytes", None), ("workers", 1.5)],
)
def test_what_cannot_be_a_plan_is_refused(key: str, value: Any) -> None:
    with pytest.raises(DatabaseError, match=f"plan of a cell: {key}: expected "):
        CellPlan.from_json({key: value})


@pytest.mark.usefixtures("ran")
def test_a_queued_cell_whose_plan_cannot_be_read_is_planned_again(rb: Rb, database: Database) -> None:
    engine = open_store(str(database.path), create=False)
    cell = enqueue_cell(engine, int(database.one("SELECT MIN(id) FROM rb_trial")), (2,), {"said": "x"})
    engine.dispose()
    said = rb("study", "run", "small.yaml", "seeds=3", "recipe.plan={workers: 0}")
    assert said.status == 0, said.err
    assert database.rows(f"SELECT status, error FROM rb_cell WHERE id = {cell}") == [
        ("failed", "given up: planned again")
    ]
    assert database.one("SELECT COUNT(*) FROM v_runs WHERE seed = 2") == 2
