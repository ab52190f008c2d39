"""Races and added seeds through the command line: who gets seeds, what is told, and that a race is its runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from command_line import Database, Rb

from resbench.compiler.identity.canonical import canonical
from resbench.train.outcome import Outcome
from resbench.workers.job import Job, train

RACE = """study: race
network: {use: resnet_cifar, depth: 8, width: 2}
units: [original, {use: constant_scaling, shortcut_scale: 0.001, branch_scale: 0.001}]
data: digits
recipe: {use: he2016_small, epochs: 3, lr: 0.05, plan: {workers: 0}}
race: [4, 5, 6]
"""
DEAD = "constant_scaling shortcut_scale=0.001 branch_scale=0.001"


@pytest.fixture
def raced(rb: Rb, small: Path) -> Rb:
    (small.parent / "race.yaml").write_text(RACE, "utf-8")
    return rb


def seeds(database: Database) -> dict[str, int]:
    return {str(unit): int(n) for unit, n in database.rows("SELECT unit, COUNT(*) FROM v_runs GROUP BY unit")}


def test_who_is_left_out_gets_no_more_seeds(raced: Rb, database: Database) -> None:
    said = raced("study", "run", "race.yaml")
    assert said.status == 0, said.err
    assert f"race: at 4 seeds {DEAD} left out, 1 still in\n" in said.err
    assert seeds(database) == {"original": 4, DEAD: 4}
    assert f"race: 1 of 3 looks taken, each at 5 % / 3; left out: {DEAD} at 4 seeds." in said.out
    rows = {row["unit"]: row for row in raced("results", "top", "race", "--json").json}
    assert (rows[DEAD]["left_at"], rows[DEAD]["missing"], rows[DEAD]["tied_with_best"]) == (4, 0, False)
    assert rows["original"]["tied_with_best"] is True
    again = raced("study", "run", "race.yaml")
    assert "8 cached, 0 new" in again.err
    assert seeds(database) == {"original": 4, DEAD: 4}
    assert "p is multiplied by 3: the study is a race" in raced("results", "compare", "race", "original", DEAD).out


def test_who_is_alike_races_to_the_end_also_in_two_parts(raced: Rb, database: Database, small: Path) -> None:
    file = small.parent / "race.yaml"
    file.write_text(RACE.replace(DEAD.split()[0], "full_preactivation").replace(
        "{use: full_preactivation, shortcut_scale: 0.001, branch_scale: 0.001}", "full_preactivation"), "utf-8")  # fmt: skip
    short = raced("study", "run", "race.yaml", "budget.runs=9")
    assert "race: the look at 5 seeds waits for runs that are missing, of full_preactivation; start" in short.err
    assert sum(seeds(database).values()) == 9
    whole = raced("study", "run", "race.yaml", "budget.runs=12")
    assert whole.status == 0, whole.err
    assert seeds(database) == {"original": 6, "full_preactivation": 6}
    assert "race: 3 of 3 looks taken" in whole.out


@pytest.mark.long
def test_a_unit_that_is_no_longer_named_is_out_of_the_race(raced: Rb, small: Path, database: Database) -> None:
    file = small.parent / "race.yaml"
    three = RACE.replace("[original,", "[original, plain, full_preactivation,")
    file.write_text(three, "utf-8")
    raced("study", "run", "race.yaml", "budget.runs=16")
    file.write_text(three.replace("plain, ", ""), "utf-8")
    said = raced("study", "run", "race.yaml")
    assert said.status == 0, said.err
    assert "plain is not named any more: its runs stay in the database, out of the ranking" in said.err
    assert "waits" not in said.err
    assert database.one("SELECT COUNT(*) FROM v_runs WHERE active AND unit = 'plain'") == 0


def test_the_seeds_of_a_race_stay(raced: Rb) -> None:
    assert raced("study", "run", "race.yaml", "budget.runs=2").status == 0
    said = raced("study", "run", "race.yaml", "seeds=[9, 8, 7, 6, 5, 4]")
    assert said.status == 2
    assert "is a race over the seeds [0, 1, 2, 3, 4, 5], now [9, 8, 7, 6, 5, 4]" in said.err


@pytest.mark.long
def test_a_unit_that_fails_is_not_waited_for(
    raced: Rb, small: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A seed of the second look fails: its unit is in no look from there on, and gets its seeds by the next command."""

    entry = RACE[RACE.index("{use: constant") : RACE.index("]\ndata")]
    (small.parent / "race.yaml").write_text(RACE.replace(entry, "full_preactivation"), "utf-8")
    points = raced("study", "check", "race.yaml", "--json").json
    broken = next(point["digest"] for point in points if point["name"] == "original")

    def breaks(work: Job, seeds: tuple[int, ...], *rest: Any) -> list[Outcome]:
        if 4 in seeds and canonical(work.bound).digest == broken:
            raise ZeroDivisionError("on purpose")
        return train(work, seeds, *rest)

    with monkeypatch.context() as patched:
        patched.setattr("resbench.workers.train_cell.train", breaks)
        said = raced("study", "run", "race.yaml")
    assert said.status == 1
    assert "waits" not in said.err
    assert seeds(database) == {"original": 4, "full_preactivation": 6}
    whole = raced("study", "run", "race.yaml")
    assert whole.status == 0, whole.err
    assert seeds(database) == {"original": 6, "full_preactivation": 6}


@pytest.mark.usefixtures("small")
def test_seeds_added_after_a_look(rb: Rb) -> None:
    """Under 3 seeds nothing can have been claimed, so that is no look."""
    rb("study", "run", "small.yaml", "seeds=2")
    three = rb("study", "run", "small.yaml", "seeds=3")
    assert "without a plan" not in three.out
    four = rb("study", "run", "small.yaml", "seeds=4")
    assert "Seeds were added after a look, without a plan" in four.out
    said = rb("results", "compare", "small", "original", "plain")
    assert "e-process" in said.out
    assert "seeds were added without a plan, after a look at 3 seeds" in said.out
    exact = rb("results", "compare", "small", "original", "plain", "--exact")
    assert "this p is too small" in exact.out


@pytest.mark.usefixtures("small")
def test_a_larger_budget_after_a_look(rb: Rb) -> None:
    rb("study", "run", "small.yaml", "seeds=5", "budget.runs=6")
    more = rb("study", "run", "small.yaml", "seeds=5", "budget.runs=10")
    assert "Seeds were added after a look, without a plan" in more.out


@pytest.mark.long
@pytest.mark.usefixtures("small")
def test_objectives_give_a_front(rb: Rb) -> None:
    change = "objectives={val_error_pct: minimize, params: minimize, val_loss: minimize}"
    said = rb("study", "run", "small.yaml", change, "seeds=3")
    assert said.status == 0, said.err
    assert ": no other unit is better in all of val_error_pct, params, val_loss (95 %)" in said.out
    assert "val loss" in said.out
    (row, *_) = rb("results", "top", "small", "--json").json
    assert row["val_loss_mean"] > 0
    assert row["params_std"] is None
    by_loss = rb("study", "run", "small.yaml", "objectives={val_loss: minimize}", "--fork", "by_loss", "seeds=3")
    assert "by_loss: val loss in nats on digits, lower is better" in by_loss.out
