"""Runs in a tracker: each once, whoever trained it and however often the study starts; a tracker that fails stops nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from command_line import Database, Rb

from resbench.study.trackers import TrackedRun, TrackedStudy, registry, tracker, tracking


@dataclass
class Place:
    """Where the tracker of these tests puts runs; it is there at the next start too. `fails`: what raises, by its name."""

    runs: dict[str, TrackedRun] = field(default_factory=dict)
    records: int = 0
    studies: list[TrackedStudy] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    fails: set[str] = field(default_factory=set)

    def called(self, what: str) -> None:
        self.calls.append(what)
        if what in self.fails:
            raise ConnectionError(f"no {what}\nfor a reason")


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Place:
    there = Place()

    class Memory:
        def __init__(self, *, colour: str = "red", deep: bool = False) -> None:
            there.called(f"made {colour} {deep}")

        def begin(self, study: str) -> None:
            there.called("begin")

        def has(self, run: TrackedRun) -> bool:
            return run.key in there.runs

        def record(self, run: TrackedRun) -> None:
            there.called("record")
            there.records += 1
            there.runs[run.key] = run

        def finish(self, study: TrackedStudy) -> None:
            there.called("finish")
            there.studies.append(study)

        def close(self) -> None:
            there.called("close")

    registry.trackers()
    monkeypatch.setattr(registry, "_KINDS", dict(registry._KINDS))
    tracker("memory", by_user=("deep",))(Memory)
    monkeypatch.setattr(tracking, "EVERY_S", 0.0)
    return there


@pytest.fixture
def tracked(small: Path) -> Callable[[str], str]:
    def put(track: str) -> str:
        small.write_text(small.read_text("utf-8") + f"track: {track}\n", "utf-8")
        return "small.yaml"

    return put


def test_each_run_is_there_once_with_all_that_is_known_of_it(
    rb: Rb, tracked: Callable[[str], str], place: Place, database: Database
) -> None:
    said = rb("study", "run", tracked("memory"))
    assert said.status == 0, said.err
    assert (place.calls[0], place.calls[-2:]) == ("made red False", ["finish", "close"])
    rows = database.rows("SELECT unit, seed, val_error_pct, train_s, run_id FROM v_runs")
    assert {(run.unit, run.seed): run.row["val_error_pct"] for run in place.runs.values()} == {
        row[:2]: row[2] for row in rows
    }
    assert place.records == len(rows) == 4
    for run in place.runs.values():
        assert (run.study, run.status, run.is_whole) == ("small", "complete", True)
        assert run.params["recipe.epochs"] == 1
        assert (run.params["unit"], run.params["data"], run.params["chooses"]) == (run.unit, "digits", False)
        assert {*run.curves} >= {"val_error_pct", "train_loss", "lr", "train_s"}
        assert run.curves["recomputed_val_error_pct"] == {1: run.row["val_error_pct"]}
        assert run.began < run.ended
        assert not any("test" in name for name in (*run.curves, *run.row, *run.params, *run.tags))
    (study,) = place.studies
    assert "original" in study.summary


@pytest.mark.usefixtures("ran")
def test_a_study_that_goes_on_records_what_is_missing_and_is_the_same_study(
    rb: Rb, tracked: Callable[[str], str], place: Place
) -> None:
    """Its first runs are from before it was tracked at all."""
    assert rb("study", "run", tracked("memory")).err == "4 cached, 0 new\n"
    assert place.records == 4
    assert rb("study", "run", "small.yaml", "seeds=3").status == 0
    assert (place.records, len(place.runs), len(place.studies)) == (6, 6, 2)
    assert rb("study", "run", "small.yaml", "seeds=3", "--track", "none").err == "6 cached, 0 new\n"
    assert (place.records, len(place.studies)) == (6, 2)
    place.runs.popitem()  # as if somebody had deleted it there
    assert (
        rb("study", "run", "small.yaml", "seeds=3", "--track", "{use: memory, deep: true}").err == "6 cached, 0 new\n"
    )
    assert (place.records, len(place.runs)) == (7, 6)
    assert "made red True" in place.calls


@pytest.mark.usefixtures("ran")
@pytest.mark.parametrize(
    ("fails", "lost", "calls"),
    [
        ({"record"}, 4, 3),
        pytest.param({"begin"}, 4, 0, marks=pytest.mark.long),
        pytest.param({"finish"}, 0, 4, marks=pytest.mark.long),
        pytest.param({"close"}, 0, 4, marks=pytest.mark.long),
    ],
)
def test_a_tracker_that_fails_stops_nothing_and_is_told_of_once(
    fails: set[str], lost: int, calls: int, rb: Rb, tracked: Callable[[str], str], place: Place
) -> None:
    place.fails = fails
    said = rb("study", "run", tracked("memory"))
    assert said.status == 0
    (what,) = fails
    assert said.err.count(f"tracker memory: ConnectionError: no {what}; the study goes on\n") == 1
    told = f"tracker memory: {lost} of 4 runs were not recorded; the next start tries them again\n"
    assert said.err.count("were not recorded") == said.err.count(told) == (1 if lost else 0)
    assert place.calls.count("record") == calls
    place.fails = set()
    assert rb("study", "run", "small.yaml").err == "4 cached, 0 new\n"
    assert len(place.runs) == 4


@pytest.mark.usefixtures("ran")
def test_a_tracker_that_does_not_answer_is_not_waited_for_for_ever(
    rb: Rb, tracked: Callable[[str], str], place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tracked("memory")
    monkeypatch.setattr(tracking, "PATIENCE_S", 0.0)
    released = Event()
    monkeypatch.setattr(Place, "called", lambda self, what: what.startswith("made") or released.wait())
    try:
        said = rb("study", "run", file)
    finally:
        released.set()
    assert said.status == 0
    assert said.err.endswith("trackers: no answer for 0 s; what is missing there is recorded by the next start\n")


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(
    ("track", "words"),
    [
        (
            "tensorbord",
            "track: expected one of tensorboard, mlflow, wandb, memory, got `tensorbord`; did you mean `tensorboard`",
        ),
        (
            "{use: memory, color: red}",
            "track: memory: expected the arguments colour, deep, got `color`; did you mean `colour`",
        ),
        ("{use: memory, colour: 3}", "track: memory: colour: expected str, got 3"),
        ("{use: memory, deep: true}", "track: memory: deep: a study may not say it; who runs it may, with --track"),
        ("{use: mlflow, uri: x}", "track: mlflow: uri: a study may not say it; who runs it may, with --track"),
        ("{use: tensorboard, folder: ../..}", "a study may not send results elsewhere"),
    ],
)
def test_what_no_tracker_takes_is_refused_before_anything_is_trained(
    track: str, words: str, rb: Rb, tracked: Callable[[str], str], database: Database
) -> None:
    file = tracked(track)
    for command in ("check", "run"):
        said = rb("study", command, file)
        assert said.status == 2
        assert words in " ".join(said.err.split())
        assert "small.yaml:9" in said.err
    assert not database.path.exists()


@pytest.mark.usefixtures("place", "small")
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--track", "nowhere"], "track: expected one of"),
        (["--track", "{use: wandb, mode: loud}"], "mode: expected offline or online, got `loud`"),
        (["--track", "memory", "--track", "[memory]"], "--track: memory is named twice"),
        (["--track", "[]"], "--track: expected a tracker such as"),
    ],
)
def test_an_option_that_is_none(words: list[str], told: str, rb: Rb, database: Database) -> None:
    said = rb("study", "run", "small.yaml", *words)
    assert said.status == 2
    assert told in said.err
    assert not database.path.exists()


def test_a_class_that_is_no_tracker() -> None:
    def lacks(self: Any) -> None: ...

    with pytest.raises(ValueError, match="it lacks begin, has, record, finish, close"):
        tracker("odd")(type("Odd", (), {"__init__": lacks}))
    methods = dict.fromkeys(("begin", "has", "record", "finish", "close"), lacks)

    def positional(self: Any, folder: str = "x") -> None: ...

    def listed(self: Any, *, folders: list[str] = []) -> None: ...  # noqa: B006

    with pytest.raises(ValueError, match="folder: expected a keyword-only argument with a default"):
        tracker("odd")(type("Odd", (), {**methods, "__init__": positional}))
    with pytest.raises(ValueError, match="folders: expected str, int, float or bool"):
        tracker("odd")(type("Odd", (), {**methods, "__init__": listed}))
    with pytest.raises(ValueError, match="registered twice"):
        tracker("mlflow")(type("Odd", (), methods))


@pytest.mark.long
@pytest.mark.parametrize("plan", ["workers: 2", "workers: 1"])
def test_runs_of_workers_are_recorded_by_the_coordinator(plan: str, rb: Rb, small: Path, place: Place) -> None:
    small.write_text(small.read_text("utf-8").replace("workers: 0", plan) + "track: memory\n", "utf-8")
    assert rb("study", "run", "small.yaml").status == 0
    assert (place.records, len(place.runs)) == (4, 4)


@pytest.mark.long
def test_of_a_search_runs_that_were_stopped_are_recorded_at_its_end(rb: Rb, small: Path, place: Place) -> None:
    text = (
        small.read_text("utf-8")
        .replace("epochs: 1", "epochs: 2")
        .replace("[plain, original]", "[plain, original, full_preactivation]")
    )
    small.write_text(text + "track: memory\nsearch: {use: halving, eta: 2, from: 1, finalists: 1}\n", "utf-8")
    assert rb("study", "run", "small.yaml").status == 0
    found = sorted((run.status, run.params["chooses"], len(run.curves["lr"])) for run in place.runs.values())
    assert found == [("complete", False, 2)] * 2 + [("complete", True, 2)] * 2 + [("stopped", True, 1)]
