"""`study run --profile`: where the time of each cell went, and a trace."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import Rb
from decoys import snapshot


@pytest.mark.usefixtures("small")
def test_where_the_time_went(rb: Rb, tmp_path: Path) -> None:
    said = rb("study", "run", "small.yaml", "--profile", "prof", "recipe.plan={workers: 1, width: 2}")
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
    assert told["steps"] == 1117 // 32
    trace = json.loads((tmp_path / "prof" / files[1]).read_text())
    names = [event.get("name") for event in trace["traceEvents"]]
    assert names.count("resbench forward") == 3
    assert "aten::convolution_backward" in names
    line = next(line for line in said.err.splitlines() if line.startswith("  original, 2 seeds, 34 steps, "))
    assert "backward" in line
    before = snapshot(tmp_path / "prof")
    said = rb(
        "study", "run", "small.yaml", "--profile", "prof", "recipe.plan={workers: 1, width: 2}", "--db", "again.db"
    )
    assert said.status == 0  # the same training again: its files get other names
    after = snapshot(tmp_path / "prof")
    assert {name: what for name, what in after.items() if name in before} == before
    assert sorted(after.keys() - before.keys()) == [name.replace(".", "-again-2.", 1) for name in files]
    assert len([line for line in said.err.splitlines() if line.startswith("  original, 2 seeds, 34 steps, ")]) == 1
    again = rb("study", "run", "small.yaml", "--profile", "none")
    assert "nothing was trained, so there is no profile in none" in again.err


@pytest.mark.usefixtures("small")
def test_a_folder_that_cannot_be_made(rb: Rb, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = rb("study", "run", "small.yaml", "--profile", "file")
    assert said.status == 2
    assert said.err.startswith("--profile file: is a file; a folder is needed")
    assert not list(tmp_path.glob("*.db"))
    said = rb("study", "run", "small.yaml", "--profile", "new", "--explain-plan")
    assert (said.status, (tmp_path / "new").exists()) == (2, False)
    assert said.err.startswith("--profile is of a training, and --explain-plan trains nothing")
