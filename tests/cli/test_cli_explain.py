"""`study run --explain-plan`: what would be done, measured, and nothing written."""

from __future__ import annotations

import re
from pathlib import Path

from command_line import Rb


def test_a_plan_is_told_and_nothing_is_written(rb: Rb, small: Path) -> None:
    said = rb("study", "run", "small.yaml", "--explain-plan", "seeds=5", "recipe.plan={width: 2, workers: 3}")
    assert said.status == 0
    assert re.search(r"plain +2 \+ 2 \+ 1 +contiguous +1 ", said.out)
    assert "3 workers on cpu, 1 cores. Measured, a few steps each:" in said.out
    assert "  2 as one, contiguous, 1 thread " in said.out
    assert "precision: bfloat16 in the recipe would be " in said.out
    assert not (small.parent / "resbench.db").exists()


def test_as_json(rb: Rb, small: Path) -> None:
    said = rb(
        "study", "run", "small.yaml", "--explain-plan", "--json", "units=[dropout_shortcut]", "recipe.plan={width: 2}"
    )
    assert said.json["workers"] == 1
    (plan,) = said.json["plans"]
    assert (plan["unit"], plan["width"], plan["threads"]) == ("dropout_shortcut", 2, 1)
    assert set(plan["one_by_one"].values()) == {"each draws from a stream of its own"}
