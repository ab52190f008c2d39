from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from scipy import stats

from resbench.errors import BadInput
from resbench.statistics.intervals import error_interval
from resbench.statistics.ranking import Ranked, rank
from resbench.statistics.sample import Sample

N_VAL = 5000
GOOD = Sample("good", (6.1, 6.3, 6.2, 6.0, 6.4))
NEAR = Sample("near", (6.2, 6.3, 6.4, 6.1, 6.5), diverged=1, missing=2)
BAD = Sample("bad", (9.1, 9.3, 9.2, 9.0, 9.4))


def by_name(rows: list[Ranked]) -> dict[str, Ranked]:
    return {row.name: row for row in rows}


def test_a_row_says_it_all() -> None:
    [first, second, third] = rank([BAD, NEAR, GOOD], n_val=N_VAL)
    assert [(r.rank, r.name, r.tied_with_best) for r in (first, second, third)] == [
        (1, "good", True),
        (2, "near", True),
        (3, "bad", False),
    ]
    assert (second.n, second.converged, second.diverged, second.missing, second.fails) == (6, 5, 1, 2, False)
    assert second.median == pytest.approx(6.35)
    assert second.mean == pytest.approx(6.3)
    assert second.std == pytest.approx(np.std(NEAR.scores, ddof=1))
    assert (second.ci_low, second.ci_high) == error_interval(NEAR, N_VAL)


def test_failing_units_stand_below_all_others_and_in_no_test() -> None:
    split = Sample("split", (1.0, 1.1, 1.2), diverged=4)
    lost = Sample("lost", (), diverged=5)
    rows = rank([lost, split, BAD, GOOD], n_val=N_VAL)
    assert [row.name for row in rows] == ["good", "bad", "split", "lost"]
    assert [row.tied_with_best for row in rows] == [True, False, False, False]
    assert [row.fails for row in rows] == [False, False, True, True]
    assert by_name(rows)["split"].median is None
    assert by_name(rows)["lost"].mean is None


def test_too_few_runs_neither_leave_nor_throw_out() -> None:
    lucky = Sample("lucky", (1.0, 1.1), diverged=2)
    hopeless = Sample("hopeless", (50.0, 50.1))
    rows = by_name(
        rank([GOOD, NEAR, lucky, hopeless, Sample("one", (3.0,)), Sample("gone", (), diverged=2)], n_val=N_VAL)
    )
    assert rows["lucky"].rank == 1
    assert [rows[name].tied_with_best for name in ("lucky", "hopeless", "one", "gone")] == [None] * 4
    assert rows["good"].tied_with_best is rows["near"].tied_with_best is True
    assert (rows["lucky"].ci_low, rows["one"].std) == (None, None)
    assert rows["lucky"].std is not None


def test_without_any_run_a_unit_stands_last() -> None:
    rows = rank([Sample("lost", (), missing=5), Sample("fails", (), diverged=5), GOOD], n_val=N_VAL)
    assert [(row.name, row.n, row.tied_with_best) for row in rows] == [
        ("good", 5, True),
        ("fails", 5, False),
        ("lost", 0, None),
    ]


def test_where_all_fail_there_is_no_best() -> None:
    rows = rank([Sample(name, (), diverged=5) for name in "ba"], n_val=N_VAL)
    assert [(row.rank, row.name, row.tied_with_best) for row in rows] == [(1, "a", None), (2, "b", None)]


def test_none_and_one() -> None:
    assert rank([], n_val=N_VAL) == []
    [row] = rank([GOOD], n_val=N_VAL)
    assert (row.rank, row.tied_with_best) == (1, True)


def test_the_same_runs_under_two_names_are_one_tie_group() -> None:
    samples = [dataclasses.replace(GOOD, name=name) for name in ("b", "a")]
    for study in (samples, [*samples, BAD], [Sample("b", (6.5,) * 5), Sample("a", (6.5,) * 5)]):
        rows = rank(study, n_val=N_VAL)
        assert [(row.name, row.tied_with_best) for row in rows[:2]] == [("a", True), ("b", True)]
        numbers = [value for row in rows for value in dataclasses.astuple(row) if isinstance(value, float)]
        assert not any(math.isnan(value) for value in numbers)


def test_the_order_given_does_not_matter() -> None:
    study = [GOOD, NEAR, BAD, Sample("f", (5.0,), diverged=4), Sample("g", (5.0,), diverged=4), Sample("h", ())]
    assert rank(study, n_val=N_VAL) == rank(study[::-1], n_val=N_VAL)


def test_equal_scores_have_an_interval_of_whole_images() -> None:
    [row] = rank([Sample("a", (6.5,) * 5)], n_val=N_VAL)
    assert row.std == 0.0
    half = stats.t.ppf(0.975, 4) * (0.02**2 / 12 / 5) ** 0.5
    assert (row.ci_low, row.ci_high) == pytest.approx((6.5 - half, 6.5 + half))


def test_skewed_scores_are_noted() -> None:
    rows = rank([Sample("a", (6.0, 6.1, 6.0, 6.2, 6.1, 6.0, 6.1, 9.0)), GOOD], n_val=N_VAL)
    assert [row.skewed for row in rows] == [False, True]


def test_what_is_refused() -> None:
    with pytest.raises(BadInput, match="got two of the name `good`"):
        rank([GOOD, GOOD], n_val=N_VAL)
    with pytest.raises(BadInput, match="`n_val`"):
        rank([GOOD], n_val=0)
