"""Budgets of trials and runs are totals, and exact, however the study is cut into commands."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import Database, Rb
from study_sample import trials

RUNS = "SELECT unit, seed FROM v_runs ORDER BY seed, trial"
COUNT = "SELECT COUNT(*) FROM rb_run"


def test_a_budget_of_runs_is_dealt_out_seed_by_seed(rb: Rb, small: Path, database: Database) -> None:
    said = rb("study", "run", "small.yaml", "seeds=3", "budget.runs=3")
    assert said.err.startswith("the budget is 3 runs: 3 of 6 are left out\n0 cached, 3 new\n")
    assert database.rows(RUNS) == [("plain", 0), ("original", 0), ("plain", 1)]
    assert rb("study", "run", "small.yaml", "seeds=3", "budget.runs=3").err.endswith("3 cached, 0 new\n")
    assert "3 cached, 2 new" in rb("study", "run", "small.yaml", "seeds=3", "budget.runs=5").err
    assert database.rows(RUNS) == [("plain", 0), ("original", 0), ("plain", 1), ("original", 1), ("plain", 2)]


@pytest.mark.usefixtures("ran")
def test_runs_that_the_study_has_count_also_when_units_are_added(rb: Rb, database: Database) -> None:
    said = rb("study", "run", "small.yaml", "units+=full_preactivation", "budget.runs=4")
    assert "4 cached, 0 new" in said.err
    said = rb("study", "run", "small.yaml", "units=[full_preactivation]", "budget.runs=5")
    assert "0 cached, 1 new" in said.err
    assert database.one(COUNT) == 5


def test_a_point_that_gets_no_run_is_no_trial(rb: Rb, small: Path, database: Database) -> None:
    assert rb("study", "run", "small.yaml", "budget.runs=1").status == 0
    assert [t.state.name for t in trials(database.path)] == ["COMPLETE"]
    assert database.rows("SELECT name FROM rb_trial") == [("plain",)]


def test_equal_nets_share_the_runs_of_a_budget(rb: Rb, small: Path, database: Database) -> None:
    scaled = "{use: constant_scaling, shortcut_scale: 1, branch_scale: 1}"
    rb("study", "run", "small.yaml", f"units=[original, {scaled}, plain]", "budget.runs=3")
    assert database.one(COUNT) == 3
    assert database.rows("SELECT unit, COUNT(*) FROM v_runs GROUP BY unit ORDER BY MIN(trial)") == [
        ("original", 2),
        ("constant_scaling shortcut_scale=1 branch_scale=1", 2),
        ("plain", 1),
    ]


def test_a_budget_of_trials_takes_the_first_points_of_the_walk(rb: Rb, small: Path, database: Database) -> None:
    units = "units=[plain, {use: exclusive_gating, gate_bias: {choices: [0, -6]}}]"
    said = rb("study", "run", "small.yaml", units, "seeds=1", "budget.trials=2")
    assert said.err.startswith("the budget is 2 trials: exclusive_gating gate_bias=-6 left out\n0 cached, 2 new\n")
    assert database.rows("SELECT name FROM rb_trial ORDER BY number") == [("plain",), ("exclusive_gating gate_bias=0",)]


def test_a_budget_of_trials_is_the_total(rb: Rb, small: Path, database: Database) -> None:
    for budget, total in ((1, 1), (2, 2), (9, 2)):
        assert rb("study", "run", "small.yaml", "seeds=1", f"budget.trials={budget}").status == 0
        assert len(trials(database.path)) == database.one("SELECT COUNT(*) FROM rb_trial") == total


def test_an_edited_unit_takes_the_place_of_its_old_self_in_a_budget_of_trials(
    rb: Rb, small: Path, database: Database
) -> None:
    library = Path(__file__).parents[2] / "arch_specs/units/identity_mappings"
    for origin in ("original", "full_preactivation"):
        text = (library / f"{origin}.yaml").read_text("utf-8").replace(f"unit: {origin}", "unit: mine")
        (small.parent / "mine.yaml").write_text(text, "utf-8")
        said = rb("study", "run", "small.yaml", "units=[mine.yaml]", "seeds=1", "budget.trials=1", "--json")
        assert "0 cached, 1 new" in said.err
        assert [row["unit"] for row in said.json] == ["mine"]
    assert database.rows("SELECT active FROM rb_trial ORDER BY number") == [(0,), (1,)]


@pytest.mark.parametrize("limit", ["params=1319", "macs=12k"])
def test_a_unit_over_the_budget_stops_the_study_before_it_is_written(
    limit: str, rb: Rb, small: Path, database: Database
) -> None:
    said = rb("study", "run", "small.yaml", f"budget.{limit}")
    assert said.status == 2
    assert "unit plain: " in said.err
    assert "unit original: " in said.err
    assert "; the budget is " in said.err
    assert not database.path.exists()
