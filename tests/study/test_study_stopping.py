"""When runs are stopped before their end."""

from __future__ import annotations

from math import nan

import pytest

from resbench.search.pruning import means_of, stopping_rule


def test_without_a_word_runs_come_to_their_end() -> None:
    assert not stopping_rule(None, {})([[50.0], [60.0]])


@pytest.mark.parametrize(("epochs", "stops"), [(1, False), (2, True), (3, True)])
def test_at_a_rung_and_behind_it(epochs: int, stops: bool) -> None:
    assert stopping_rule(2, {})([[50.0] * epochs]) is stops


def test_above_the_limit_of_an_epoch_by_the_mean_over_runs() -> None:
    enough = stopping_rule(None, {"above": {"2": 40.0}})
    assert not enough([[90.0], [90.0]])
    assert not enough([[90.0, 30.0], [90.0, 50.0]])
    assert enough([[90.0, 30.0], [90.0, 50.1]])
    assert not enough([[90.0, 50.0, 90.0]])


def test_out_of_patience() -> None:
    enough = stopping_rule(None, {"epochs": 2, "by": 1.0})
    assert not enough([[50.0, 40.0]])
    assert not enough([[50.0, 49.5, 49.0]])
    assert enough([[50.0, 49.5, 49.1]])
    assert stopping_rule(None, {"epochs": 1, "by": 0.0})([[50.0, 50.0]])
    assert not stopping_rule(None, {"epochs": 1, "by": 0.0})([[50.0, 49.9]])


def test_a_run_that_is_not_finite_counts_as_wholly_wrong() -> None:
    assert means_of([[50.0, nan], [60.0]]) == [55.0, 100.0]
