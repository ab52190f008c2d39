"""`study run --explain-plan`: what would be done, measured, and nothing written."""

from __future__ import annotations

import re
from pathlib import Path

from command_line import Rb


def test_the_usual_plan_is_told_and_nothing_is_written(rb: Rb, small: Path) -> None:
    """Three of the five seeds that are trained as one are wanted; the others have their places all the same."""
    said = rb("study", "run", "small.yaml", "--explain-plan", "seeds=3")
    assert said.status == 0
    assert re.search(r"plain +3 of 5 +channels_last +1 +– ", said.out)
    assert "By the networks' shapes, not by time." in said.out
    assert not (small.parent / "resbench.db").exists()


def test_a_measured_plan_is_told(rb: Rb, small: Path) -> None:
    plan = "recipe.plan={width: 2, workers: 3, measure: true}"
    said = rb("study", "run", "small.yaml", "--explain-plan", "seeds=5", plan)
    assert said.status == 0
    assert re.search(r"plain +2 of 2 \+ 2 of 2 \+ 1 of 2 +[a-z_]+ +1 +[0-9.]+ ", said.out)
    assert "3 workers on cpu, 1 cores. Measured, a few steps each:" in said.out
    assert "  2 as one, contiguous, 1 thread " in said.out
    assert "precision: bfloat16 in the recipe would be " in said.out
    assert not (small.parent / "resbench.db").exists()


def test_as_json(rb: Rb, small: Path) -> None:
    plan = "recipe.plan={width: 2, measure: true}"
    said = rb("study", "run", "small.yaml", "--explain-plan", "--json", "units=[dropout_shortcut]", plan)
    assert said.json["workers"] == 1
    (told,) = said.json["plans"]
    assert (told["unit"], told["width"], told["threads"]) == ("dropout_shortcut", 2, 1)
    assert set(told["one_by_one"].values()) == {"each draws from a stream of its own"}
