"""A tracker of a plugin: the one that docs/tracking.md shows, and one that breaks its contract."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from command_line import SMALL
from docs_text import page
from plugins_sample import package, put, resbench

(LINES,) = re.findall(r"^```python\n(.*?)^```", page("docs/tracking.md"), re.DOTALL | re.MULTILINE)


def test_the_tracker_of_the_docs_is_found_and_keeps_what_it_owes(tmp_path: Path) -> None:
    forgetful = LINES.replace('"lines"', '"forgetful"').replace("if self.file.is_file():", "if False:")
    put(tmp_path, {"mine/lines.py": LINES, "bad/forgetful.py": forgetful})
    installed = package(
        tmp_path / "packed", {"rows.py": LINES.replace('"lines"', '"rows"')}, trackers={"rows": "packed.rows"}
    )
    listed, good, bad, packed = resbench(
        tmp_path, ["plugins", "list", "--json", "--plugins", "mine"], ["plugins", "check", "mine"], ["plugins", "check", "bad"],
        ["plugins", "check", str(installed)],
    )  # fmt: skip
    (mine,) = (item for item in listed.json if item["name"] == "mine")
    assert (mine["gives"], mine["state"]) == ({"trackers": ["lines"]}, "ok")
    assert "  ok   tracker lines: records runs once, also over two starts\n" in good.out
    assert (good.status, bad.status, packed.status) == (0, 3, 0)
    assert (
        "FAIL tracker forgetful: tracker forgetful: after a restart it does not report gated bias=-3/é, seed 0"
        in bad.out
    )
    assert "  ok   tracker rows: records runs once, also over two starts\n" in packed.out
    assert not (tmp_path / "runs.csv").exists()


@pytest.mark.long
def test_a_study_names_the_tracker_of_its_plugin(tmp_path: Path) -> None:
    put(tmp_path, {"mine/lines.py": LINES})
    text = SMALL + "plugins: [mine]\ntrack: {use: lines, file: here.csv}\n"
    (tmp_path / "small.yaml").write_text(text, "utf-8")
    for said in resbench(tmp_path, ["study", "run", "small.yaml"], ["study", "run", "small.yaml"]):
        assert said.status == 0, said.err
        assert "tracker lines" not in said.err
    with (tmp_path / "here.csv").open() as file:
        rows = list(csv.reader(file))
    assert sorted((row[1], row[2]) for row in rows) == [(unit, seed) for unit in ("original", "plain") for seed in "01"]
    assert "original" in (tmp_path / "here.md").read_text("utf-8")
