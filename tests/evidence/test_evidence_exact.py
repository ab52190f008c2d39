from __future__ import annotations

from math import comb

import numpy as np
import pytest
from scipy import stats

from resbench.statistics import exact
from resbench.statistics.exact import convergence_p, paired_p, unpaired_p


def mean_difference(a: np.ndarray, b: np.ndarray, axis: int) -> np.ndarray:
    return np.mean(a, axis=axis) - np.mean(b, axis=axis)


@pytest.mark.parametrize(("n_a", "n_b"), [(3, 3), (5, 5), (4, 6), (6, 4), (2, 4), (7, 5)])
@pytest.mark.parametrize("shift", [0.0, 0.3, 1.0])
def test_permutation_against_scipy(n_a: int, n_b: int, shift: float) -> None:
    generator = np.random.default_rng(n_a * 100 + n_b)
    a, b = generator.normal(6.5 + shift, 0.3, n_a).round(2), generator.normal(6.5, 0.3, n_b).round(2)
    oracle = stats.permutation_test((a, b), mean_difference, vectorized=True, n_resamples=100_000)
    assert unpaired_p(a.tolist(), b.tolist()) == pytest.approx(oracle.pvalue, rel=1e-12)


@pytest.mark.parametrize("n", [2, 3, 5, 9])
@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_sign_flips_against_scipy(n: int, shift: float) -> None:
    generator = np.random.default_rng(n)
    differences = generator.normal(shift, 0.3, n).round(2)
    oracle = stats.permutation_test(
        (differences, np.zeros(n)), mean_difference, permutation_type="samples", vectorized=True, n_resamples=100_000
    )
    assert paired_p(differences.tolist()) == pytest.approx(oracle.pvalue, rel=1e-12)


@pytest.mark.parametrize("table", [(0, 5, 5, 5), (1, 5, 5, 5), (2, 5, 3, 5), (0, 3, 7, 8), (4, 9, 9, 9), (5, 5, 5, 5)])
def test_convergence_is_the_doubled_one_sided_fisher(table: tuple[int, int, int, int]) -> None:
    a, n_a, b, n_b = table
    cells = [[a, n_a - a], [b, n_b - b]]
    tails = [stats.fisher_exact(cells, alternative=side).pvalue for side in ("less", "greater")]
    assert convergence_p(*table) == pytest.approx(min(1, 2 * min(tails)))
    assert convergence_p(b, n_b, a, n_a) == pytest.approx(convergence_p(*table))


def test_alike_is_one() -> None:
    assert unpaired_p([6.5] * 5, [6.5] * 5) == 1.0
    assert unpaired_p([0.1, 0.2, 0.3], [0.3, 0.1, 0.2]) == 1.0
    assert paired_p([0.0] * 4) == 1.0


def test_rounding_does_not_break_ties() -> None:
    """0.1 + 0.2 and 0.3 are one sum, though not one float: both assignments count as extreme as the one seen."""
    assert unpaired_p([0.1, 0.2], [0.0, 0.3]) == 1.0
    assert paired_p([0.1, 0.2, -0.3]) == 1.0


def test_twenty_against_twenty_is_still_exact() -> None:
    a = [float(i) for i in range(20)]
    assert unpaired_p(a, [x + 20 for x in a]) == 2 / comb(40, 20)


def test_drawn_assignments_are_near_the_exact_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(2)
    a, b = generator.normal(6.6, 0.3, 8).tolist(), generator.normal(6.5, 0.3, 8).tolist()
    differences = [x - y for x, y in zip(a, b, strict=True)]
    counted = unpaired_p(a, b), paired_p(differences)
    monkeypatch.setattr(exact, "MAX_POOLED", 0)
    monkeypatch.setattr(exact, "MAX_SIGNS", 0)
    drawn = unpaired_p(a, b), paired_p(differences)
    assert drawn == pytest.approx(counted, rel=0.05)
    assert drawn != counted
    assert drawn == (unpaired_p(a, b), paired_p(differences))


def test_drawn_p_is_never_zero() -> None:
    far = [float(i) for i in range(30)]
    assert unpaired_p(far, [x + 100 for x in far]) == 2 / (exact.DRAWS + 1)
    assert 0 < paired_p([1.0] * 60) <= 1e-4
