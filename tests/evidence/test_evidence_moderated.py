from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.special import polygamma

from resbench.errors import BadInput
from resbench.statistics.moderated import _fit_prior, _trigamma_inverse, moderate, moments, variance_floor, welch
from resbench.statistics.sample import Sample


@pytest.mark.parametrize("y", [1e-5, 1e-3, 0.1, 0.5, 1.0, 3.7, 50.0, 1e4, 1e8])
def test_trigamma_inverse(y: float) -> None:
    assert _trigamma_inverse(float(polygamma(1, y))) == pytest.approx(y, rel=1e-5)


def test_the_fit_recovers_a_scaled_f() -> None:
    """Variances s2 = 2 F(4, d0): the prior variance is 2 with d0 degrees of freedom; unequal n as well."""
    generator = np.random.default_rng(0)
    df = np.repeat([4.0, 9.0], 20_000)
    variances = 2 * generator.f(df, 6.0)
    prior, weight = _fit_prior(variances, df)
    assert prior == pytest.approx(2, rel=0.03)
    assert weight == pytest.approx(6, rel=0.1)


def test_alike_variances_have_a_prior_without_limit() -> None:
    prior, weight = _fit_prior(np.full(8, 0.04), np.full(8, 4.0))
    assert weight == float("inf")
    assert 0.04 < prior < 0.06  # Smyth's: the geometric mean, corrected for the bias of log variances


@pytest.mark.parametrize(
    ("k", "n", "weight"), [(2, 9, 0), (3, 9, 0), (4, 9, 1), (5, 9, 2), (40, 9, 2), (40, 3, 1), (40, 2, 0)]
)
def test_weight_is_at_most_two_k_less_three_and_n_less_two(k: int, n: int, weight: int) -> None:
    variances = np.linspace(0.03, 0.05, k)  # nearly alike: the fit itself would give any weight
    moderated, df = moderate(variances, np.full(k, float(n)), 1e-6)
    assert df == pytest.approx(n - 1 + weight)
    if weight == 0:
        assert (moderated == variances).all()
    else:
        prior, _ = _fit_prior(variances, np.full(k, n - 1.0))
        assert moderated == pytest.approx((weight * prior + (n - 1) * variances) / (weight + n - 1))


def test_the_smallest_n_holds_the_weight_for_all() -> None:
    counts = np.array([3.0, 10.0, 10.0, 10.0, 10.0, 10.0])
    _, df = moderate(np.full(6, 0.04), counts, 1e-6)
    assert df.tolist() == [3, 10, 10, 10, 10, 10]


def test_weight_below_the_cap_where_spreads_truly_differ() -> None:
    _, df = moderate(10.0 ** np.arange(-6.0, 6.0, 2), np.full(6, 5.0), 1e-12)
    assert 0 < df[0] - 4 < 1


def test_no_variance_below_that_of_whole_images() -> None:
    floor = variance_floor(5000)
    assert floor == pytest.approx(0.02**2 / 12)
    wild = np.array([0.0, 0.0, 0.0, 0.0, 1.0, 100.0])  # a prior far below the floor, pulling the zeros down
    for variances in (np.zeros(1), np.zeros(2), np.zeros(8), wild):
        moderated, _ = moderate(variances, np.full(len(variances), 5.0), floor)
        assert (moderated >= floor).all()
        assert np.isfinite(moderated).all()
    with pytest.raises(BadInput, match=r"`n_val`: expected .*, got 0"):
        variance_floor(0)


def test_no_units_no_variances() -> None:
    moderated, df = moderate(np.empty(0), np.empty(0), 1e-6)
    assert (len(moderated), len(df)) == (0, 0)


def test_welch_is_welch() -> None:
    a, b = [6.61, 6.90, 6.37, 7.02], [6.1, 6.3, 6.15, 6.2, 6.7, 6.05]
    means, variances, counts = moments([Sample("a", tuple(a)), Sample("b", tuple(b))])
    error = variances / counts
    t, nu = welch(means[0] - means[1], error[0], error[1], counts[0] - 1, counts[1] - 1)
    oracle = stats.ttest_ind(a, b, equal_var=False)
    assert float(t) == pytest.approx(oracle.statistic)
    assert float(nu) == pytest.approx(oracle.df)


def test_moments_need_two_runs() -> None:
    with pytest.raises(BadInput, match="`a`: expected 2 or more converged runs"):
        moments([Sample("a", (6.0,))])
