from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from scipy import stats

from resbench.errors import BadInput
from resbench.evidence.agreement import agreement, kendall_tau_b
from resbench.statistics.sample import Sample

N_VAL = 5000


def unit(name: str, centre: float, diverged: int = 0) -> Sample:
    return Sample(name, tuple(centre + step for step in (-0.1, -0.05, 0.0, 0.05, 0.1)), diverged)


def outcomes(published: dict[str, float | None], samples: list[Sample]) -> dict[tuple[str, str], str]:
    return {(v.better, v.worse): v.outcome for v in agreement(published, samples, n_val=N_VAL).verdicts}


def test_tau_b_against_scipy() -> None:
    generator = np.random.default_rng(0)
    for _ in range(20):
        x, y = generator.integers(0, 4, 8).astype(float), generator.integers(0, 4, 8).astype(float)
        assert kendall_tau_b(x, y) == pytest.approx(stats.kendalltau(x, y).statistic)


@pytest.mark.parametrize("n", [0, 1, 3])
def test_a_side_that_orders_nothing_has_no_tau(n: int) -> None:
    assert kendall_tau_b(np.full(n, np.inf), np.arange(float(n))) is None


def test_agree_disagree_open() -> None:
    published = {"a": 6.37, "b": 6.61, "c": 8.0}
    samples = [unit("a", 6.4), unit("b", 6.42), unit("c", 5.0)]
    found = agreement(published, samples, n_val=N_VAL)
    assert outcomes(published, samples) == {("a", "b"): "open", ("a", "c"): "disagree", ("b", "c"): "disagree"}
    assert (found.agree, found.disagree, found.open) == (0, 2, 1)
    assert found.tau_b == pytest.approx(-1 / 3)
    right = agreement(published, [unit("a", 6.0), unit("b", 7.0), unit("c", 8.0)], n_val=N_VAL)
    assert (right.agree, right.tau_b) == (3, 1.0)


def test_published_fails_are_ties_worse_than_every_number() -> None:
    published = {"a": 6.4, "b": None, "c": None}
    samples = [unit("a", 6.0), unit("b", 9.0), unit("c", 12.0)]
    assert outcomes(published, samples) == {("a", "b"): "agree", ("a", "c"): "agree"}
    found = agreement(published, samples, n_val=N_VAL)
    assert found.tau_b == pytest.approx(stats.kendalltau([1, 2, 2], [1, 2, 3]).statistic)


def test_a_published_tie_orders_nothing() -> None:
    assert outcomes({"a": 6.4, "b": 6.4}, [unit("a", 6.0), unit("b", 9.0)]) == {}


def test_a_failing_unit_is_judged_by_how_often_it_converges() -> None:
    lost, half, all_in = Sample("x", (), diverged=5), Sample("x", (6.0, 6.0), diverged=3), unit("a", 6.4)
    assert outcomes({"a": 6.4, "x": None}, [all_in, lost]) == {("a", "x"): "agree"}
    assert outcomes({"x": 6.1, "a": 6.4}, [all_in, lost]) == {("x", "a"): "disagree"}
    assert outcomes({"a": 6.4, "x": None}, [unit("a", 6.4, diverged=3), half]) == {("a", "x"): "open"}
    [verdict] = agreement({"a": 6.4, "x": None}, [all_in, lost], n_val=N_VAL).verdicts
    assert verdict.p_holm == pytest.approx(stats.fisher_exact([[0, 5], [5, 0]]).pvalue)


def test_two_failing_or_too_short_units_are_open() -> None:
    samples = [Sample("x", (), diverged=9), Sample("y", (6.0,), diverged=9), Sample("z", (6.0, 6.1)), unit("a", 3.0)]
    published = {"x": 5.0, "y": 7.0, "z": 9.0, "a": 8.0}
    found = outcomes(published, samples)
    assert found["x", "y"] == found["a", "z"] == found["x", "z"] == "open"
    tested = {(v.better, v.worse) for v in agreement(published, samples, n_val=N_VAL).verdicts if v.p_holm is not None}
    assert tested == {("x", "a"), ("y", "a")}
    found_tau = agreement(published, samples, n_val=N_VAL).tau_b
    assert found_tau == pytest.approx(stats.kendalltau([5, 7, 9, 8], [99, 99, 6.05, 3]).statistic)


def test_holm_is_over_the_ordered_pairs() -> None:
    names = "abcdef"
    samples = [unit(name, 6.0) for name in names[:-1]] + [unit("f", 6.18)]
    few = agreement({"a": 6.0, "f": 6.5}, samples, n_val=N_VAL)
    many = agreement({name: 6.0 + i for i, name in enumerate(names)}, samples, n_val=N_VAL)
    assert [v.outcome for v in few.verdicts] == ["agree"]
    pairs = {(v.better, v.worse): v for v in many.verdicts}
    assert len(pairs) == 15
    assert pairs["a", "f"].p_holm == pytest.approx(15 * few.verdicts[0].p_holm)


def test_beyond_doubt_is_at_five_percent_over_all() -> None:
    lost = [Sample(name, (), diverged=5) for name in "xyz"]
    published = {"a": 6.4, "b": 6.4, "x": None, "y": None, "z": None}
    six = agreement({**published, "c": 6.4}, [*lost, unit("a", 6.0), unit("b", 6.0)], n_val=N_VAL)
    assert [v.outcome for v in six.verdicts] == ["agree"] * 6
    nine = agreement({**published, "c": 6.4}, [*lost, *(unit(name, 6.0) for name in "abc")], n_val=N_VAL)
    assert [v.p_holm for v in nine.verdicts] == pytest.approx([9 * 2 / 252] * 9)
    assert [v.outcome for v in nine.verdicts] == ["open"] * 9


def test_names_of_one_side_only() -> None:
    samples = [unit("a", 6.0), unit("b", 9.0), unit("extra", 7.0), Sample("lost", (), missing=5)]
    found = agreement({"b": 6.6, "a": 6.4, "gone": 5.0, "lost": None}, samples, n_val=N_VAL)
    assert (found.units, found.unmeasured) == (("b", "a"), ("gone", "lost"))
    assert (found.tau_b, found.agree) == (1.0, 1)


def test_nothing_published_or_nothing_run() -> None:
    for published, samples in product(({}, {"a": 6.0}), ([], [unit("a", 6.0)])):
        found = agreement(published, samples, n_val=N_VAL)
        assert (found.tau_b, found.verdicts) == (None, ())


def test_published_numbers_are_finite() -> None:
    with pytest.raises(BadInput, match="`a`: expected a finite published error, got nan; use None"):
        agreement({"a": math.nan}, [unit("a", 6.0)], n_val=N_VAL)
