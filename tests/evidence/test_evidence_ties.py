"""Rule 6, and its calibration in small: counts over seeded studies, with bounds that its known wrong cousins break."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from resbench.statistics.moderated import moderate, variance_floor
from resbench.statistics.ties import tie_group

FLOOR = variance_floor(5000)
STUDIES = 400


def group(scores: np.ndarray) -> np.ndarray:
    n = np.full(len(scores), float(scores.shape[1]))
    return tie_group(scores.mean(axis=1), scores.var(axis=1, ddof=1), n, FLOOR)


def plainly(scores: np.ndarray) -> set[int]:
    """Rule 6 written down pair by pair, with scipy's t."""
    inside = set(range(len(scores)))
    while True:
        order = sorted(inside)
        n, m = scores.shape[1], len(order)
        variances, df = moderate(scores[order].var(axis=1, ddof=1), np.full(m, float(n)), FLOOR)
        leaving = set()
        for i, a in enumerate(order):
            for j, b in enumerate(order):
                if i == j:
                    continue
                error = (variances[i] / n, variances[j] / n)
                nu = sum(error) ** 2 / (error[0] ** 2 / df[i] + error[1] ** 2 / df[j])
                p = stats.t.sf((scores[a].mean() - scores[b].mean()) / sum(error) ** 0.5, nu)
                if p <= 0.05 / (m * (m - 1)):
                    leaving.add(a)
        if not leaving:
            return inside
        inside -= leaving


@pytest.mark.parametrize("seed", range(6))
def test_as_the_rule_is_written(seed: int) -> None:
    generator = np.random.default_rng(seed)
    scores = generator.normal(6.5, 0.2, (9, 5)) + generator.uniform(0, 1.2, (9, 1))
    assert set(np.flatnonzero(group(scores)).tolist()) == plainly(scores)


def test_it_goes_on_after_the_first_step() -> None:
    """Ten hopeless units leave at once; then the level is that of the two left, and the second leaves too."""
    pattern = np.array([-0.2, -0.1, 0.0, 0.1, 0.2])
    scores = np.array([6.0, 6.45, *[20.0 + i for i in range(10)]])[:, None] + pattern
    assert group(scores).tolist() == [True] + [False] * 11
    wild = np.vstack([scores[:2], 6.2 + 20 * np.tile(pattern, (10, 1))])
    assert group(wild)[1]


def test_none_one_and_equal_units() -> None:
    assert group(np.empty((0, 5))).tolist() == []
    assert group(np.full((1, 5), 6.5)).tolist() == [True]
    assert group(np.full((7, 5), 6.5)).tolist() == [True] * 7
    assert group(np.tile([6.1, 6.4, 6.2, 6.9, 6.3], (2, 1))).tolist() == [True, True]


def test_the_lowest_mean_never_leaves() -> None:
    scores = np.random.default_rng(0).normal(6.5, 0.2, (200, 10)) + np.linspace(0, 9, 200)[::-1, None]
    member = group(scores)
    assert member[scores.mean(axis=1).argmin()]
    assert 0 < member.sum() < 20


def test_eight_equal_units_are_rarely_parted() -> None:
    generator = np.random.default_rng(11)
    wrong = sum(not group(generator.normal(6.5, 0.2, (8, 5))).all() for _ in range(STUDIES))
    assert wrong <= 0.06 * STUDIES  # against the best one seen: 0.09 and more


def test_one_noisy_unit_among_eight_equal_ones() -> None:
    generator = np.random.default_rng(12)
    spread = np.array([10.0] + [1.0] * 7)[:, None] * 0.2
    wrong = sum(not group(6.5 + spread * generator.normal(size=(8, 5))).all() for _ in range(STUDIES))
    assert wrong <= 0.08 * STUDIES  # pooled variance: 0.2


def test_units_worse_by_three_sd_are_left_out() -> None:
    generator = np.random.default_rng(13)
    shift = np.repeat([0.0, 0.6], 4)[:, None]
    left_out = sum((~group(6.5 + shift + generator.normal(0, 0.2, (8, 5))))[4:].sum() for _ in range(STUDIES))
    assert left_out >= 0.94 * 4 * STUDIES  # without moderation: 0.88
