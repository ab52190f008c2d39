"""One unit that diverges or raises stops no other, and every outcome is a row."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import Database, Rb
from study_sample import trials
from torch import Tensor, nn

from resbench.ops import registry
from resbench.ops.registry import OpKind
from resbench.ops.schema import built_in, read_source
from resbench.plugins.active import activate
from resbench.train.outcome import Outcome
from resbench.workers.job import Job, train
from resbench.workers.shutdown import Stopped

UNIT = """\
unit: breaks
nodes:
  f: {from: x, ops: [conv3x3: {stride: $stride}, bn, breaking]}
  h: {from: x, ops: [shortcut]}
  y: {from: [h, f], ops: [add, relu]}
boundary: {layers: 2}
"""
SOURCE = '@op("breaking")\nclass Breaking(nn.Module):\n    def forward(self, x: Tensor) -> Tensor: ...\n'


class Breaking(nn.Module):
    """Fine while shapes are worked out, `broken` in training."""

    broken = True

    def forward(self, x: Tensor) -> Tensor:
        if not (self.training and self.broken):
            return x
        raise ZeroDivisionError("broken [/red] on purpose\nin two lines")


@pytest.fixture
def breaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A unit that compiles and cannot be trained, first of two in a study."""
    registry.kinds()
    (signature,) = read_source(SOURCE, "here")
    monkeypatch.setitem(registry._KINDS, "breaking", OpKind("breaking", Breaking))
    monkeypatch.setitem(built_in(), "breaking", signature)
    (tmp_path / "breaks.yaml").write_text(UNIT, "utf-8")
    yield "units=[breaks.yaml, plain]"
    activate((), lambda failure: None)  # the table of ops that the command kept knows of it


def test_a_cell_that_raises_stops_no_other(breaks: str, rb: Rb, small: Path, database: Database) -> None:
    said = rb("study", "run", "small.yaml", breaks, "--json")
    assert said.status == 1
    assert [(row["unit"], row["n"], row["failed"]) for row in said.json] == [
        ("plain", 2, None),
        ("breaks", 0, "ZeroDivisionError: broken [/red] on purpose\nin two lines"),
    ]
    why = r"ZeroDivisionError: broken [/red] on purpose\x0ain two lines"
    assert said.err.splitlines()[2:5] == [
        "0 cached, 4 new",
        f"breaks: 5 seeds as one network: {why}; they are tried one by one",
        f"FAILED breaks: {why}",
    ]
    (failed, done) = database.rows("SELECT status, error FROM rb_cell ORDER BY id")
    assert done == ("done", None)
    assert failed[0] == "failed"
    assert failed[1].startswith("Traceback (most recent call last):")
    assert "ZeroDivisionError: broken [/red] on purpose" in failed[1]
    assert database.rows("SELECT DISTINCT unit, status FROM v_runs") == [("plain", "complete")]
    broken, whole = trials(database.path)
    assert (broken.state.name, broken.value, whole.state.name) == ("FAIL", None, "COMPLETE")
    assert broken.user_attrs["why"] == (
        "2 of 2 runs are missing: failed: ZeroDivisionError: broken [/red] on purpose\nin two lines; "
        "the next `study run` tries again"
    )


def test_a_cell_that_failed_is_tried_again_by_the_same_command(
    breaks: str, rb: Rb, small: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rb("study", "run", "small.yaml", breaks, "seeds=1").status == 1
    assert [t.state.name for t in trials(database.path)] == ["FAIL", "COMPLETE"]
    monkeypatch.setattr(Breaking, "broken", False)
    said = rb("study", "run", "small.yaml", breaks, "seeds=1")
    assert said.status == 0
    assert "1 cached, 1 new\n[1/1] breaks, seed 0: " in said.err
    assert [t.state.name for t in trials(database.path)] == ["COMPLETE", "COMPLETE"]
    assert [(t.params, t.value is None) for t in trials(database.path)] == [
        ({"unit": "breaks"}, False), ({"unit": "plain"}, False)
    ]  # fmt: skip
    assert database.rows("SELECT name, status FROM rb_cell c JOIN rb_trial t ON t.id = c.trial_id ORDER BY c.id") == [
        ("breaks", "failed"),
        ("plain", "done"),
        ("breaks", "done"),
    ]


def test_a_study_that_is_stopped_shows_what_has_failed_and_leaves_what_is_under_way(
    breaks: str, rb: Rb, small: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first unit fails, then somebody stops the study while the second trains."""
    whole = train

    def stopped(task: Job, *rest: Any) -> list[Outcome]:
        if task.bound.unit == "plain":
            raise Stopped(signal.SIGINT)
        return whole(task, *rest)

    monkeypatch.setattr("resbench.workers.train_cell.train", stopped)
    assert rb("study", "run", "small.yaml", breaks, "seeds=1").status == 130
    assert [t.state.name for t in trials(database.path)] == ["FAIL", "RUNNING"]
    monkeypatch.setattr("resbench.workers.train_cell.train", whole)
    assert rb("study", "run", "small.yaml", breaks, "seeds=1").status == 1
    assert [t.state.name for t in trials(database.path)] == ["FAIL", "COMPLETE"]


def test_a_study_in_which_everything_raises_has_nothing_to_rank(breaks: str, rb: Rb, small: Path) -> None:
    said = rb("study", "run", "small.yaml", "units=[breaks.yaml]", "seeds=1")
    assert (said.status, said.out) == (1, "")
    assert said.err.count("FAILED breaks") == 1


def test_a_seed_that_raises_does_not_lose_its_brothers(
    rb: Rb, small: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second seed of three breaks; the others are trained and saved, and it alone is trained by the next command."""

    def second_breaks(task: Job, seeds: tuple[int, ...], *rest: Any) -> list[Outcome]:
        if 1 in seeds:
            raise ZeroDivisionError("on purpose")
        return train(task, seeds, *rest)

    command = ("study", "run", "small.yaml", "units=[plain]", "seeds=3", "recipe.plan.width=3")
    with monkeypatch.context() as patched:
        patched.setattr("resbench.workers.train_cell.train", second_breaks)
        said = rb(*command)
    assert said.status == 1
    assert "plain: 3 seeds as one network: ZeroDivisionError: on purpose; they are tried one by one" in said.err
    assert [seed for (seed,) in database.rows("SELECT seed FROM v_runs ORDER BY seed")] == [0, 2]
    assert [(t.state.name, t.value, t.user_attrs["n"]) for t in trials(database.path)] == [("FAIL", None, 2)]
    assert rb(*command).err.startswith("2 cached, 1 new\n")


def test_a_unit_that_diverges_is_rows_and_fails(rb: Rb, small: Path, database: Database) -> None:
    said = rb("study", "run", "small.yaml", "recipe.lr=1e10", "recipe.epochs=3", "units=[plain]", "--json")
    assert said.status == 0
    (row,) = said.json
    assert (row["n"], row["converged"], row["diverged"], row["fails"]) == (2, 0, 2, True)
    assert (row["mean"], row["median"], row["std"], row["ci_low"]) == (None, None, None, None)
    assert row["tied_with_best"] is not True
    assert database.rows("SELECT status, epochs FROM v_runs") == [("diverged", 1), ("diverged", 1)]
    assert database.rows("SELECT run_id, epoch FROM v_epochs ORDER BY run_id") == [(1, 1), (2, 1)]
    assert database.one("SELECT COUNT(*) FROM rb_test_score") == 0
    assert [(t.state.name, t.value) for t in trials(database.path)] == [("FAIL", None)]
    assert "[2/2] plain, seed 1: diverged after 1 epochs" in said.err
    table = rb("results", "top", "small").out
    assert "fails" in table
    assert "0/2" in table
    again = rb("study", "run", "small.yaml", "recipe.lr=1e10", "recipe.epochs=3", "units=[plain]")
    assert again.err == "2 cached, 0 new\n"


def test_half_of_the_runs_converged_is_a_mean_over_those(rb: Rb, small: Path, database: Database) -> None:
    """One of two runs is turned into a diverged one; Optuna is told the mean of the other."""
    rb("study", "run", "small.yaml", "units=[plain]")
    database.change("DELETE FROM trial_values")
    database.change("UPDATE trials SET state = 'RUNNING', datetime_complete = NULL")
    database.change("UPDATE rb_run SET status = 'diverged' WHERE seed = 0")
    said = rb("study", "run", "small.yaml", "units=[plain]", "--json")
    (trial,), (row,) = trials(database.path), said.json
    left = database.one("SELECT val_error_pct FROM v_runs WHERE seed = 1")
    assert (trial.state.name, trial.value, row["mean"], row["fails"]) == ("COMPLETE", left, left, False)
