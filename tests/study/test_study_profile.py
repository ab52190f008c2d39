"""`study run --timing`: where the time of each cell went, and a trace."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from command_line import Database, Rb
from decoys import snapshot

from resbench.train.clock import WARM, Clock


@pytest.mark.long
@pytest.mark.usefixtures("small")
def test_where_the_time_went(rb: Rb, tmp_path: Path) -> None:
    said = rb("study", "run", "small.yaml", "--timing", "prof", "recipe.plan={workers: 1, width: 2}")
    assert said.status == 0
    files = sorted(path.name for path in (tmp_path / "prof").iterdir())
    assert [name.partition("-")[0] for name in files] == ["original", "original", "plain", "plain"]
    assert files[0].endswith("-seeds-0-1.profile.json")
    assert files[1].endswith("-seeds-0-1.trace.json")
    told = json.loads((tmp_path / "prof" / files[0]).read_text())
    seconds = told["seconds"]
    assert list(seconds) == ["data", "forward", "backward", "optimizer", "evaluation", "overhead", "total"]
    assert all(value > 0 for value in seconds.values())
    assert sum(seconds.values()) == pytest.approx(2 * seconds["total"])
    assert told["steps"] == 1117 // 64
    trace = json.loads((tmp_path / "prof" / files[1]).read_text())
    names = [event.get("name") for event in trace["traceEvents"]]
    assert names.count("resbench forward") == 3
    assert "aten::convolution_backward" in names
    line = next(line for line in said.err.splitlines() if line.startswith("  original, 2 seeds, 17 steps, "))
    assert "backward" in line
    before = snapshot(tmp_path / "prof")
    said = rb(
        "study", "run", "small.yaml", "--timing", "prof", "recipe.plan={workers: 1, width: 2}", "--db", "again.db"
    )
    assert said.status == 0  # the same training again: its files get other names
    after = snapshot(tmp_path / "prof")
    assert {name: what for name, what in after.items() if name in before} == before
    assert sorted(after.keys() - before.keys()) == [name.replace(".", "-again-2.", 1) for name in files]
    assert len([line for line in said.err.splitlines() if line.startswith("  original, 2 seeds, 17 steps, ")]) == 1
    again = rb("study", "run", "small.yaml", "--profile", "none")  # its name of before
    assert "no timing was written to none: nothing was trained, or a line above gives the reason" in again.err


@pytest.mark.long
@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("workers", [0, 1])
def test_a_folder_that_goes_while_it_is_trained_costs_no_training(
    rb: Rb, tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    """Neither the trace, in the midst of an epoch, nor the profile, at its end, can be written."""

    def refused(given: Path | None) -> Path:
        return tmp_path / "gone"  # as if it had been removed since it was looked at

    monkeypatch.setattr("resbench.api.study.study.folder_for", refused)
    said = rb("study", "run", "small.yaml", "--timing", "gone", f"recipe.plan={{workers: {workers}, width: 2}}")
    assert said.status == 0, said.err
    assert "no trace was written: " in said.err
    assert f"there is no folder {tmp_path / 'gone'}; the training is not affected" in said.err
    assert "no profile was written: " in said.err
    assert database.rows("SELECT status, count(*) FROM v_runs GROUP BY status") == [("complete", 4)]
    assert database.rows("SELECT DISTINCT kind, error FROM rb_attempt") == [(None, None)]


def test_a_trace_that_cannot_be_written_hides_no_error_of_the_training(tmp_path: Path) -> None:
    said: list[str] = []
    clock = Clock(torch.device("cpu"), tmp_path / "gone" / "a.trace.json", said.append)
    for _ in range(WARM + 1):
        with clock.phase("data"):
            pass
        with clock.phase("optimizer"):
            pass
    assert clock.tracing

    def train() -> None:
        try:
            raise ZeroDivisionError
        finally:
            clock.stop()

    with pytest.raises(ZeroDivisionError):
        train()
    assert len(said) == 1
    assert said[0].startswith("no trace was written: ")


@pytest.mark.usefixtures("small")
def test_a_folder_that_cannot_be_made(rb: Rb, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = rb("study", "run", "small.yaml", "--timing", "file")
    assert said.status == 2
    assert said.err.startswith("--timing: expected a folder, got the file file")
    assert not list(tmp_path.glob("*.db"))
    said = rb("study", "run", "small.yaml", "--timing", "a" * 300)
    assert (said.status, said.err.endswith("aaa: File name too long\n")) == (5, True)
    said = rb("study", "run", "small.yaml", "--timing", "new", "--explain-plan")
    assert (said.status, (tmp_path / "new").exists()) == (2, False)
    assert said.err.startswith("--timing requires a training, and --explain-plan trains nothing")
