"""Names of units as tables show them: short where that stays unambiguous, whole else; a key stays a key."""

from __future__ import annotations

import pytest

from resbench.evidence.names import short_names


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a lr=0.012345678901234", "a lr=0.01235"),
        ("a lr=-0.5000000000001 b=3", "a lr=-0.5 b=3"),
        ("a lr=1.23456789e-05", "a lr=1.235e-05"),
        ("a lr=0.05 channels=123456", "a lr=0.05 channels=123456"),
        ("a file=v0.123456.yaml", "a file=v0.123456.yaml"),
        ("a version=0.123456rc1", "a version=0.123456rc1"),
        ("gated_0.123456", "gated_0.123456"),
        ("a text='=0.123456'", "a text='=0.123456'"),
    ],
)
def test_four_digits_of_a_value_are_shown(name: str, shown: str) -> None:
    assert short_names([name]) == {name: shown}
    assert short_names([shown]) == {shown: shown}


def test_names_that_would_be_alike_are_shown_whole() -> None:
    names = ["a lr=0.012341", "a lr=0.012342", "a lr=0.567891", "b lr=0.012341", "c lr=0.01234", "c lr=0.012343"]
    assert list(short_names(names).values()) == [*names[:2], "a lr=0.5679", "b lr=0.01234", *names[4:]]
    assert short_names([names[0], names[0]]) == {names[0]: "a lr=0.01234"}
