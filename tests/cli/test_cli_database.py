"""Which database a command takes: --db, RESBENCH_DB, [tool.resbench] db, resbench.db, in this order."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import Rb, say

LIST = ("results", "list")


def taken(folder: Path, *words: str) -> str:
    """The database that is missing."""
    said = say([*LIST, *words], folder)
    assert said.status == 4
    return said.err.split(": no such database")[0]


def test_the_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RESBENCH_DB", raising=False)
    below = tmp_path / "below"
    below.mkdir()
    assert taken(below) == "resbench.db"
    (tmp_path / "pyproject.toml").write_text('[tool.resbench]\ndb = "project.db"\n', "utf-8")
    assert taken(below) == str(tmp_path / "project.db")
    monkeypatch.setenv("RESBENCH_DB", "environment.db")
    assert taken(below) == "environment.db"
    assert taken(below, "--db", "option.db") == "option.db"


def test_the_nearest_project_counts_and_may_say_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RESBENCH_DB", raising=False)
    below = tmp_path / "below"
    below.mkdir()
    (tmp_path / "pyproject.toml").write_text('[tool.resbench]\ndb = "project.db"\n', "utf-8")
    (below / "pyproject.toml").write_text('[project]\nname = "x"\n', "utf-8")
    assert taken(below) == "resbench.db"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('db = "sqlite:///here.db"', "here.db: no such database"),
        ('db = "~/no_such_folder_of_mine/x.db"', "no_such_folder_of_mine"),
        ('db = "/no_such_folder/x.db"', "/no_such_folder/x.db"),
    ],
)
def test_urls_and_home_and_absolute_paths(
    text: str, shown: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RESBENCH_DB", raising=False)
    (tmp_path / "pyproject.toml").write_text(f"[tool.resbench]\n{text}\n", "utf-8")
    said = say(LIST, tmp_path)
    assert said.status == 4
    assert shown in said.err
    assert "~" not in said.err
    assert str(tmp_path) not in said.err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[tool.resbench]\ndb = 3\n", "[tool.resbench] db: expected a text, got 3"),
        ("[tool.resbench\n", "not TOML"),
        ("tool = 3\n", "resbench.db: no such database"),
        ('[tool]\nresbench = "x"\n', "resbench.db: no such database"),
    ],
)
def test_a_project_file_that_is_wrong(text: str, told: str, rb: Rb, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(text, "utf-8")
    said = rb(*LIST)
    assert said.status in (2, 4)
    assert told in said.err
    assert "Traceback" not in said.err
