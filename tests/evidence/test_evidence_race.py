"""Races replayed from samples: who leaves at which look, at which level, and that later silence says nothing."""

from __future__ import annotations

import numpy as np
import pytest

from resbench.statistics.moderated import variance_floor
from resbench.statistics.race import race
from resbench.statistics.sample import Sample
from resbench.statistics.standing import Scored
from resbench.statistics.ties import tie_group

FLOOR = variance_floor(5000)
SCORES = {
    "good": (6.0, 6.2, 6.1, 6.0, 6.3, 6.1, 6.2, 6.1),
    "near": (6.1, 6.3, 6.2, 6.1, 6.4, 6.2, 6.3, 6.2),
    "bad": (9.0, 9.3, 9.1, 9.2, 9.1),
}


def look(seeds: int, **more: Sample) -> list[Scored]:
    runs = [Sample(name, scores[:seeds]) for name, scores in SCORES.items()]
    return [Scored((*runs, *more.values()), FLOOR)]


def test_who_is_out_stays_out() -> None:
    found = race(list(SCORES), [look(5), look(8)], planned=4)
    assert found.left == {"good": None, "near": None, "bad": 0}
    assert found.tied == {"good": True, "near": True, "bad": False}
    assert (found.still_in, found.taken, found.over) == (("good", "near"), 2, False)


def test_before_the_first_look_there_is_no_claim() -> None:
    found = race([], [], planned=4)
    assert (found.left, found.tied, found.over) == ({}, {}, False)


def test_it_is_over_when_one_is_left_or_all_looks_are_taken() -> None:
    two = [Scored((Sample("good", SCORES["good"][:5]), Sample("bad", SCORES["bad"])), FLOOR)]
    assert race(["good", "bad"], [two], planned=4).over
    assert race(list(SCORES), [look(5), look(8)], planned=2).over
    assert not race(list(SCORES), [look(5)], planned=2).over


def test_a_failing_unit_leaves_at_once_and_a_short_one_stays() -> None:
    runs = look(5, fails=Sample("fails", (6.0,), diverged=4), short=Sample("short", (7.0, 7.1)))
    found = race([*SCORES, "fails", "short"], [runs], planned=4)
    assert found.left["fails"] == 0
    assert found.left["short"] is None
    assert found.tied["short"] is None


@pytest.mark.parametrize("seed", range(30))
def test_each_look_spends_its_share(seed: int) -> None:
    """A pair that one look at 5 % calls may not be called at 5 % / 4."""
    g = np.random.default_rng(seed)
    x = g.normal(6.0, 0.2, (2, 5)) + np.array([[0.0], [0.42]])
    args = x.mean(1), x.var(1, ddof=1), np.full(2, 5.0), FLOOR
    (one,) = ([Scored((Sample("a", tuple(x[0])), Sample("b", tuple(x[1]))), FLOOR)],)
    for planned in (1, 4):
        member = tie_group(*args, 0.05 / planned)
        assert [race(["a", "b"], [one], planned).tied[name] for name in "ab"] == member.tolist()


def test_the_share_matters_somewhere() -> None:
    """Else the test above could not fail."""
    g, differs = np.random.default_rng(0), 0
    for _ in range(100):
        x = g.normal(6.0, 0.2, (2, 5)) + np.array([[0.0], [0.42]])
        args = x.mean(1), x.var(1, ddof=1), np.full(2, 5.0), FLOOR
        differs += tie_group(*args, 0.05).tolist() != tie_group(*args, 0.0125).tolist()
    assert differs > 10


def test_who_was_not_at_a_look_stays_in_without_a_claim() -> None:
    found = race([*SCORES, "late"], [look(5)], planned=4)
    assert (found.left["late"], found.tied["late"]) == (None, None)
    assert "late" in found.still_in
