"""`track:` of a study: names with arguments, and no way out of the current folder."""

from __future__ import annotations

from typing import Any

import pytest

from resbench.errors import SpecError
from resbench.language.study.track import parse_track
from resbench.language.yaml.node import plain
from resbench.language.yaml.problems import Problems
from resbench.language.yaml.reader import read_value


def parsed(text: str, *, trusted: bool = False) -> list[tuple[str | None, dict[str, Any]]]:
    check = Problems()
    found = parse_track(read_value(text, "here", "track"), check, trusted=trusted)
    check.done()
    return [(use.name, {key: plain(value) for key, value in use.arguments.items()}) for use in found]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("tensorboard", [("tensorboard", {})]),
        ("{use: tensorboard, folder: runs/here}", [("tensorboard", {"folder": "runs/here"})]),
        ("[tensorboard, {use: mlflow, folder: .}]", [("tensorboard", {}), ("mlflow", {"folder": "."})]),
        ("{use: mlflow, uri: 'sqlite:///here/mlflow.db'}", [("mlflow", {"uri": "sqlite:///here/mlflow.db"})]),
        ("{use: x, deep: true, every: 3, part: 0.5, two..dots: a..b}",
         [("x", {"deep": True, "every": 3, "part": 0.5, "two..dots": "a..b"})]),
        ("[]", []),
        ("null", []),
    ],
)  # fmt: skip
def test_what_is_said(text: str, wanted: list[Any]) -> None:
    assert parsed(text) == wanted


@pytest.mark.parametrize(
    "value",
    ["/etc", "~/x", "../x", "a/../../x", "a/..", "https://example.org", "sqlite:////etc/x", "sqlite:///../x", "postgresql://a@b/c",
     "C:\\x", "..\\x", "user:name"],
)  # fmt: skip
def test_a_study_sends_nothing_elsewhere_and_who_runs_it_may(value: str) -> None:
    text = f"{{use: mlflow, uri: '{value}'}}"
    with pytest.raises(SpecError, match=r"a study may not send results elsewhere, who runs it may, with --track"):
        parsed(text)
    assert parsed(text, trusted=True) == [("mlflow", {"uri": value})]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("3", "a name or {use: name, param: value} is needed, got 3"),
        ("{folder: here}", "key `use` is missing"),
        ("[tensorboard, tensorboard]", "a tracker is named twice"),
        ("{use: mlflow, folder: [a]}", "expected a text, a number, true or false"),
    ],
)
def test_what_is_none(text: str, words: str) -> None:
    with pytest.raises(SpecError) as error:
        parsed(text)
    assert words in str(error.value)
