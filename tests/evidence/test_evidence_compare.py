from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from scipy import stats
from scipy.special import stdtr

from resbench.errors import BadInput
from resbench.evidence.compare import compare, holm
from resbench.statistics.comparison import reach_note
from resbench.statistics.moderated import moderate, variance_floor
from resbench.statistics.sample import Sample

N_VAL = 5000


def study(k: int, n: int, seed: int = 0, gap: float = 0.0) -> list[Sample]:
    draws = np.random.default_rng(seed).normal(6.5, 0.2, (k, n)) + gap * np.arange(k)[:, None]
    return [Sample(f"u{i}", tuple(row.tolist())) for i, row in enumerate(draws)]


def test_two_units_are_plain_welch() -> None:
    a, b = Sample("a", (6.61, 6.90, 6.37, 7.02), diverged=2), Sample("b", (6.1, 6.3, 6.15, 6.2, 6.7))
    [row] = compare([a, b], n_val=N_VAL)
    oracle = stats.ttest_ind(a.scores, b.scores, equal_var=False)
    assert row.p == pytest.approx(oracle.pvalue)
    interval = oracle.confidence_interval(0.95)
    assert (row.ci_low, row.ci_high) == pytest.approx((interval.low, interval.high))
    assert row.difference == pytest.approx(np.mean(a.scores) - np.mean(b.scores))
    root = np.sqrt((np.var(a.scores, ddof=1) + np.var(b.scores, ddof=1)) / 2)
    assert row.effect_sd == pytest.approx((np.mean(a.scores) - np.mean(b.scores)) / root)
    assert (row.n_a, row.n_b) == (4, 5)
    assert row.claim is bool(oracle.pvalue <= 0.05)


def test_variances_are_moderated_over_the_study_not_over_the_pair() -> None:
    samples = study(8, 5)
    [row] = compare(samples, [("u1", "u6")], n_val=N_VAL)
    variances, df = moderate(np.array([s.variance for s in samples]), np.full(8, 5.0), variance_floor(N_VAL))
    error = variances / 5
    nu = (error[1] + error[6]) ** 2 / (error[1] ** 2 / df[1] + error[6] ** 2 / df[6])
    t = row.difference / np.sqrt(error[1] + error[6])
    assert row.p == pytest.approx(2 * stdtr(nu, -abs(t)))
    [alone] = compare([samples[1], samples[6]], n_val=N_VAL)
    assert alone.p != pytest.approx(row.p, rel=1e-3)
    assert (alone.ci_low, alone.ci_high) == (row.ci_low, row.ci_high)


def test_holm_is_over_the_pairs_shown() -> None:
    samples = study(4, 5, gap=0.2)
    every = compare(samples, n_val=N_VAL)
    assert [(row.a, row.b) for row in every[:3]] == [("u0", "u1"), ("u0", "u2"), ("u0", "u3")]
    assert len(every) == 6
    assert [row.p_holm for row in every] == holm([row.p for row in every])
    [one] = compare(samples, [("u0", "u1")], n_val=N_VAL)
    assert one.p_holm == one.p == every[0].p


@pytest.mark.parametrize(
    ("given", "adjusted"),
    [
        ([], []),
        ([None], [None]),
        ([0.01, 0.02, 0.03], [0.03, 0.04, 0.04]),
        ([0.04, 0.01, None], [0.04, 0.02, None]),
        ([0.6, 0.7], [1.0, 1.0]),
    ],
)
def test_holm(given: Sequence[float | None], adjusted: list[float | None]) -> None:
    assert holm(given) == pytest.approx(adjusted)


@pytest.mark.parametrize("method", ["welch", "exact"])
def test_the_same_runs_under_two_names_differ_with_p_one(method: str) -> None:
    scores = (6.61, 6.90, 6.37, 7.02, 6.55)
    samples = [Sample("a", scores), Sample("b", tuple(reversed(scores))), *study(6, 5)]
    [row] = compare(samples, [("a", "b")], n_val=N_VAL, method=method)
    assert (row.difference, row.effect_sd, row.p, row.p_holm, row.claim) == (0.0, 0.0, 1.0, 1.0, False)


def test_no_spread_at_all_is_a_claim_only_beyond_the_resolution() -> None:
    samples = [Sample("a", (6.5,) * 5), Sample("b", (6.5,) * 5), Sample("c", (6.502,) * 5), Sample("d", (6.9,) * 5)]
    rows = {(row.a, row.b): row for row in compare(samples, n_val=N_VAL)}
    assert rows["a", "b"].p == 1.0
    assert rows["a", "c"].claim is False
    assert rows["a", "d"].claim is True
    assert rows["a", "b"].ci_low < 0 < rows["a", "b"].ci_high


def test_too_few_or_failing_runs_give_numbers_but_no_claim() -> None:
    few, failing, none = Sample("few", (6.1, 6.3)), Sample("fails", (6.0, 6.1, 6.2), diverged=4), Sample("none", ())
    for name in ("few", "fails", "none"):
        [row] = compare([few, failing, none, *study(4, 5)], [("u0", name)], n_val=N_VAL)
        assert (row.p, row.p_holm, row.claim, row.ci_low, row.smallest_p) == (None,) * 5
        assert (row.difference is None) is (name == "none")
    single = compare([Sample("x", (6.0,)), few], n_val=N_VAL)[0]
    assert single.difference == pytest.approx(-0.2)
    assert single.effect_sd is None


def test_nothing_to_compare() -> None:
    assert compare([], n_val=N_VAL) == []
    assert compare(study(1, 5), n_val=N_VAL) == []


def test_exact_reaches_no_lower_than_its_assignments() -> None:
    samples = [Sample(name, tuple(10.0 * i + 0.1 * j for j in range(4))) for i, name in enumerate("abc")]
    rows = compare(samples, n_val=N_VAL, method="exact")
    assert [row.p for row in rows] == pytest.approx([2 / 70] * 3)
    assert [row.smallest_p_holm for row in rows] == pytest.approx([6 / 70] * 3)
    assert all(row.out_of_reach and row.claim is False for row in rows)
    assert reach_note(rows) == (
        "no data could support 3 of these 3 claims: 4 against 4 runs reach p = 0.029 at best,"
        " 0.086 over the pairs shown (needed: 0.05); 5 seeds for each architecture could"
    )
    welch = compare(samples, n_val=N_VAL)
    assert all(row.claim and row.smallest_p == 2 / 70 for row in welch)
    assert reach_note(welch) is None


def test_reach_is_of_each_pair_where_runs_differ() -> None:
    """Holm tests the pairs of many runs first, so they take nothing from the pair of few, nor it from them."""
    samples = [*study(2, 3), Sample("long", tuple(6.0 + 0.1 * i for i in range(9)))]
    rows = compare(samples, n_val=N_VAL, method="exact")
    assert [row.smallest_p for row in rows] == pytest.approx([2 / 20, 2 / 220, 2 / 220])
    assert [row.smallest_p_holm for row in rows] == pytest.approx([2 / 20, 6 / 220, 6 / 220])
    assert [row.out_of_reach for row in rows] == [True, False, False]


def test_what_is_refused() -> None:
    samples = study(3, 5)
    with pytest.raises(BadInput, match="no sample is named `uu0`; did you mean `u0`"):
        compare(samples, [("u0", "uu0")], n_val=N_VAL)
    with pytest.raises(BadInput, match="pair: expected two architectures, got `u0` twice"):
        compare(samples, [("u0", "u0")], n_val=N_VAL)
    with pytest.raises(
        BadInput, match="method: expected one of welch, exact, paired, anytime, got `exat`; did you mean `exact`"
    ):
        compare(samples, n_val=N_VAL, method="exat")
