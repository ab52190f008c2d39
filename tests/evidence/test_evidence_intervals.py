from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from resbench.errors import BadInput
from resbench.statistics.intervals import (
    MedianInterval,
    error_interval,
    interval,
    is_skewed,
    mean_interval,
    median,
    median_interval,
    share_interval,
)
from resbench.statistics.sample import Sample

SCORES = (6.61, 6.90, 6.37, 7.02, 6.55)


def test_mean_interval_is_students() -> None:
    oracle = stats.t.interval(0.95, 4, np.mean(SCORES), stats.sem(SCORES))
    assert mean_interval(Sample("a", SCORES, diverged=3)) == pytest.approx(oracle, rel=1e-12)


def test_mean_interval_needs_three_runs() -> None:
    assert mean_interval(Sample("a", (6.0, 7.0))) is None
    assert mean_interval(Sample("a", ())) is None
    assert mean_interval(Sample("a", (6.0, 7.0, 8.0))) is not None


def test_equal_scores_still_have_a_width() -> None:
    equal = Sample("a", (6.5, 6.5, 6.5))
    assert mean_interval(equal) == (6.5, 6.5)
    oracle = stats.t.interval(0.95, 2, 6.5, (0.03 / 3) ** 0.5)
    assert mean_interval(equal, variance_floor=0.03) == pytest.approx(oracle)


def test_an_error_rates_interval_is_students_on_the_logit_scale() -> None:
    """Its ends are those of the logit of the mean, whose error is that of the mean times the slope of the logit there."""
    share = np.mean(SCORES) / 100
    slope = (np.log((share + 1e-6) / (1 - share - 1e-6)) - np.log((share - 1e-6) / (1 - share + 1e-6))) / 2e-6
    low, high = stats.t.interval(0.95, 4, np.log(share / (1 - share)), slope * stats.sem(SCORES) / 100)
    expected = 100 / (1 + np.exp(-low)), 100 / (1 + np.exp(-high))
    assert error_interval(Sample("a", SCORES), 5000) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    "scores",
    [
        (7.4, 9.4, 54.4), (0.0, 0.0, 0.0), (100.0, 100.0, 100.0), (0.0, 0.0, 16.7), (99.9, 100.0, 100.0), (0.0, 100.0, 50.0),
        (0.0,) * 100, (1e-9, 2e-9, 1e-7),
    ],
)  # fmt: skip
@pytest.mark.parametrize("n_val", [6, 340, 50_000])
def test_an_error_rates_interval_is_within_0_and_100_and_holds_the_mean(scores: tuple[float, ...], n_val: int) -> None:
    found = error_interval(Sample("a", scores), n_val)
    assert found is not None
    low, high = found
    assert 0 <= low <= np.mean(scores) <= high <= 100
    assert high - low > 0
    assert (low == 0) == (np.mean(scores) == 0)
    assert (high == 100) == (np.mean(scores) == 100)


def test_the_mirror_of_an_error_rate_has_the_mirror_of_its_interval() -> None:
    low, high = error_interval(Sample("a", (3.0, 5.0, 4.5)), 340) or (0.0, 0.0)
    assert error_interval(Sample("b", (97.0, 95.0, 95.5)), 340) == pytest.approx((100 - high, 100 - low))


def test_of_what_is_no_error_rate_the_interval_may_go_below_zero() -> None:
    wide = Sample("a", (0.1, 0.2, 2.0))
    assert interval(wide, None) == pytest.approx(mean_interval(wide))
    assert interval(wide, 340) == error_interval(wide, 340)
    assert (interval(wide, None) or (0.0,))[0] < 0


def test_an_error_rates_interval_needs_three_runs() -> None:
    assert error_interval(Sample("a", (6.0, 7.0)), 340) is None


@pytest.mark.parametrize(
    ("scores", "diverged", "expected"),
    [
        ((), 0, None),
        ((7.0,), 0, 7.0),
        ((7.0, 5.0), 0, 6.0),
        ((7.0, 5.0), 1, 7.0),
        ((7.0, 5.0), 2, None),
        ((7.0,), 1, None),
        ((), 3, None),
    ],
)
def test_median_counts_a_diverged_run_as_worse_than_any_number(
    scores: tuple[float, ...], diverged: int, expected: float | None
) -> None:
    assert median(Sample("a", scores, diverged)) == expected


def test_median_interval_of_five_is_best_to_worst() -> None:
    assert median_interval(Sample("a", SCORES)) == MedianInterval(6.37, 7.02, 0.9375)
    assert median_interval(Sample("a", SCORES[:4], diverged=1)) == MedianInterval(6.37, None, 0.9375)
    assert median_interval(Sample("a", SCORES[:2])) is None


@pytest.mark.parametrize("n", [3, 5, 6, 8, 9, 12, 20, 50])
def test_median_interval_is_the_narrowest_that_covers(n: int) -> None:
    found = median_interval(Sample("a", tuple(float(i) for i in range(n))))
    assert found is not None
    assert found.low is not None
    cut = int(found.low)
    assert found.high == n - 1 - cut
    assert found.coverage == pytest.approx(1 - 2 * stats.binom.cdf(cut, n, 0.5))
    assert found.coverage >= 0.95 or cut == 0
    assert 1 - 2 * stats.binom.cdf(cut + 1, n, 0.5) < 0.95


@pytest.mark.parametrize(("successes", "n"), [(0, 5), (4, 5), (5, 5), (1, 1), (7, 30)])
def test_share_interval_is_clopper_pearson(successes: int, n: int) -> None:
    oracle = stats.binomtest(successes, n).proportion_ci(0.95, method="exact")
    assert share_interval(successes, n) == pytest.approx((oracle.low, oracle.high), abs=1e-10)


def test_share_of_nothing_is_unknown_and_more_than_all_is_refused() -> None:
    assert share_interval(0, 0) == (0.0, 1.0)
    with pytest.raises(BadInput, match="got 6 of 5"):
        share_interval(6, 5)


def test_skew_is_noted_from_eight_runs_on() -> None:
    bent = [6.0, 6.1, 6.0, 6.2, 6.1, 6.0, 6.1, 9.0]
    assert stats.skew(bent) > 1
    assert is_skewed(bent)
    assert is_skewed([-score for score in bent])
    assert not is_skewed(bent[1:])
    assert not is_skewed([6.0] * 9)
    nearly = [6.0] * 5 + [7.0, 7.0, 7.5]
    assert 0.5 < stats.skew(nearly) < 1
    assert not is_skewed(nearly)
