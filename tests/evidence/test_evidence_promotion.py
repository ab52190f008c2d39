"""Who goes on at a rung."""

from __future__ import annotations

from resbench.statistics.promotion import AtRung, in_order, promoted


def rung(**scores: float) -> dict[str, AtRung]:
    return {name: AtRung(((score,),), 1) for name, score in scores.items()}


def test_the_best_share_goes_on_in_order() -> None:
    assert promoted(rung(a=60.0, b=10.0, c=90.0, d=30.0), 2, 100_000) == ["b", "d"]


def test_close_behind_goes_on_too_but_at_most_half_as_many() -> None:
    units = rung(a=10.0, b=20.0, c=20.5, d=20.6, e=90.0)
    assert promoted(units, 2, 500) == ["a", "b", "c"]
    assert promoted(units, 2, 10**6) == ["a", "b"]
    assert promoted(units, 1, 500) == ["a"]


def test_the_spread_over_runs_counts_where_it_is_larger() -> None:
    units = {"a": AtRung(((1.0, 1.2),), 2), "b": AtRung(((2.0, 8.0),), 2), "c": AtRung(((6.0, 7.0),), 2)}
    assert promoted(units, 2, 10**7) == ["a", "b", "c"]


def test_who_fails_does_not_go_on() -> None:
    units = {**rung(a=50.0), "b": AtRung(((),), 1), "c": AtRung(((10.0,),), 3)}
    assert promoted(units, 3, 500) == ["a"]
    assert promoted({"b": AtRung(((),), 1)}, 1, 500) == []


def test_several_objectives_go_by_dominance() -> None:
    values = {"cheap": (9.0, 1.0), "good": (1.0, 9.0), "both": (5.0, 5.0), "worse": (6.0, 6.0), "worst": (9.5, 9.5)}
    assert in_order(values) == ["good", "both", "cheap", "worse", "worst"]
    units = {name: AtRung(((a,), (b,)), 1) for name, (a, b) in values.items()}
    assert promoted(units, 4, 500) == ["good", "both", "cheap", "worse"]
