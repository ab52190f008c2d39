"""What docs/guide.md shows of results as files, from Python, and frozen works as it stands there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from command_line import Rb
from docs_text import page
from tabular_sample import study


def section(name: str, language: str) -> list[str]:
    text = page("docs/guide.md").partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def test_exports_and_python(rb: Rb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyarrow")
    pytest.importorskip("polars")
    monkeypatch.chdir(tmp_path)
    study(tmp_path / "results.db", name="gates").dispose()
    (commands,) = section("Take results with you", "sh")
    for line in commands.splitlines():
        _, *words = shlex.split(line, comments=True)
        said = rb(*words, "--db", "results.db")
        assert said.status == 0, said.err
        assert (tmp_path / words[words.index("-o") + 1]).stat().st_size > 100
    (source,) = section("Take results with you", "python")
    names: dict[str, Any] = {}
    exec(source, names)
    assert (names["best"]["unit"], names["curves"].height, len(names["spread"])) == ("original", 34, 3)


def test_frozen(rb: Rb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    study(tmp_path / "results.db", name="gates").dispose()
    (command,) = section("A tabular benchmark of your own space", "sh")
    assert rb(*command.split()[1:], "--db", "results.db").status == 0
    asking, searching = section("A tabular benchmark of your own space", "python")
    exec(asking, {})
    assert capsys.readouterr().out.splitlines() == [
        "original: val error 8.00 % (sd 1.00, n = 3, 0 diverged, 0 missing), 1,001 params, 5,000 MACs, 4.4 s of training",
        "17.0 running 3.0",
    ]
    names: dict[str, Any] = {}
    exec(searching, names)
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("at_random ")
    assert second.startswith("halving ")
    assert all(re.search(r"val error \S+ % \(sd \S+, n = [12], ", line) for line in (first, second))
