"""The e-process: its value as written in the paper, and that looking again and again claims no more than it says."""

from __future__ import annotations

from math import exp, log, pi, sqrt

import numpy as np
import pytest
from scipy import integrate, stats

from resbench.evidence.compare import compare
from resbench.statistics.anytime import anytime_test, log_e
from resbench.statistics.sample import Sample
from resbench.statistics.standing import Scored, standing


def f(x: float) -> np.ndarray:
    return np.array(float(x))


@pytest.mark.parametrize(("n", "t"), [(3, 0.0), (5, 2.5), (8, 6.0), (20, 3.0)])
def test_it_is_the_ratio_of_likelihoods(n: int, t: float) -> None:
    """E is the density of t under a normal prior on the difference (variance 4 sd^2) over its density if they are alike."""
    nu, half = 2 * n - 2, sqrt(n / 2)

    def mixed(delta: float) -> float:
        return float(stats.nct.pdf(t, nu, delta * half)) * exp(-(delta**2) / 8) / sqrt(8 * pi)

    above, _ = integrate.quad(mixed, -12, 12, limit=200)
    assert float(log_e(f(t), f(nu), f(1 + 2 * n))) == pytest.approx(log(above / stats.t.pdf(t, nu)), rel=1e-4, abs=1e-4)


def test_one_direction() -> None:
    p = anytime_test(np.array([6.0, 9.0]), np.full(2, 0.04), np.full(2, 5.0), 1e-9, 0.05)
    assert p[0, 1] == 1.0
    assert 0 < p[1, 0] < 1e-3


@pytest.mark.long
def test_looking_again_and_again_claims_no_more_than_it_says() -> None:
    """Two units alike, looked at after every seed from 3 to 40: plain Welch claims in far over 5 %, this in at most 5 %."""
    g, studies, ours, plain = np.random.default_rng(1), 400, 0, 0
    for _ in range(studies):
        x = g.normal(size=(2, 40))
        claimed = tested = False
        for n in range(3, 41):
            part = x[:, :n]
            args = part.mean(1), part.var(1, ddof=1), np.full(2, float(n)), 1e-9
            claimed |= bool((anytime_test(*args, 0.025) <= 0.025).any())
            tested |= bool(stats.ttest_ind(*part, equal_var=False).pvalue <= 0.05)
        ours += claimed
        plain += tested
    assert ours <= 34  # the 99.9 % point of 400 at 0.05
    assert plain > 60


@pytest.mark.parametrize(("spread", "times"), [(10, 1), (3, 4)])
def test_also_where_one_spreads_more(spread: int, times: int) -> None:
    """With pooled degrees of freedom this was 6 and 10 %."""
    g, studies, claims = np.random.default_rng(2), 1000, 0
    for _ in range(studies):
        a, b = g.normal(size=30) * spread, g.normal(size=30 * times)
        counts = np.arange(3, 31)
        for n in counts:
            x, y = a[:n], b[: n * times]
            args = np.array([x.mean(), y.mean()]), np.array([x.var(ddof=1), y.var(ddof=1)])
            if (anytime_test(*args, np.array([n, n * times], dtype=float), 1e-9, 0.025) <= 0.025).any():
                claims += 1
                break
    assert claims <= 73  # the 99.9 % point of 1000 at 0.05


def test_compare_and_the_tie_group_agree_on_two_units() -> None:
    runs = [Sample("a", (6.0, 6.1, 6.2, 6.0)), Sample("b", (6.9, 7.1, 7.0, 7.2))]
    (pair,) = compare(runs, n_val=5000, method="anytime")
    assert pair.claim is True
    assert standing([Scored(tuple(runs), 1e-9)], test=anytime_test) == {"a": True, "b": False}
