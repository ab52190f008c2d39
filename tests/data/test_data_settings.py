"""What a study says of a data set beside its name: checked at its place, kept with the data."""

from __future__ import annotations

import pytest

from resbench.data.registry import info, load, settings
from resbench.errors import BadInput, Place, SpecError
from resbench.language.yaml.node import Node


def at(line: int, value: object) -> Node:
    return Node(value, Place("study.yaml", line, 3), "data.noise")  # type: ignore[arg-type]


def test_settings_are_checked_at_their_place() -> None:
    node = Node({"noise": at(7, "much")}, Place("study.yaml", 6, 1), "data", {"noise": Place("study.yaml", 7, 1)})
    with pytest.raises(SpecError) as caught:
        info("shapes", node)
    (problem,) = caught.value.problems
    assert (problem.place, problem.message) == (Place("study.yaml", 7, 3), "a number is needed, got much")


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("shapes", {"noise": 2}, "a number at most 1 is needed, got 2"),
        (
            "shapes",
            {"nois": 0.1},
            "unknown key `nois`; allowed: noise, rotation, clutter, n_train; did you mean `noise`?",
        ),
        ("digits", {"noise": 0.1}, "data set digits has no settings, so there is no `noise`"),
        ("image_folder", {}, "key `path` is missing"),
        ("image_folder", {"path": "x", "channels": 2}, "one of 1, 3 is needed, got 2"),
    ],
)
def test_settings_that_cannot_be(name: str, given: dict[str, float], words: str) -> None:
    for ask in (info, load):
        with pytest.raises(BadInput) as caught:
            ask(name, given)
        assert words in str(caught.value)


def test_what_may_be_said_is_known() -> None:
    assert list(settings("shapes").model_fields) == ["noise", "rotation", "clutter", "n_train"]
    assert not settings("digits").model_fields
