"""Scores of two architectures -> p of an exact test, two-sided as twice the smaller tail: permutation, sign flips, convergence.

The only assumption is that, if the architectures were equal, any assignment of the runs to them would be as likely as the
observed one. Up to a limit every assignment is counted: subset sums of the two halves of the pooled scores are computed
separately and matched by sorting (Horowitz & Sahni 1974), so 20 against 20 runs, 1.4e11 assignments, take a tenth of a second.
Beyond it random assignments are drawn from a fixed stream, with p = (b + 1) / (m + 1) for each tail.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import comb

import numpy as np

from resbench.random_streams import stream
from resbench.statistics.moderated import Floats

MAX_POOLED = 40
MAX_SIGNS = 20
BLOCKS, DRAWS_PER_BLOCK = 9, 11_111
DRAWS = BLOCKS * DRAWS_PER_BLOCK
TIE = 1e-12  # relative; closer sums are equal: rounding must not break ties between errors of whole images


def unpaired_p(a: Sequence[float], b: Sequence[float]) -> float:
    """Return p of the permutation test of the difference of means.

    >>> unpaired_p([1.0, 2.0, 3.0], [4.0, 5.0, 6.0]) == 2 / comb(6, 3)
    True
    """
    pooled = np.array([*a, *b], dtype=np.float64)
    slack = TIE * float(np.abs(pooled).sum())
    observed, size = float(pooled[: len(a)].sum()), len(a)
    if len(pooled) <= MAX_POOLED:
        below, above = _sums_at_most(pooled, size, np.array([observed + slack, observed - slack]))
        every = comb(len(pooled), size)
        return _two_sided(below / every, (every - above) / every)
    generator = np.random.default_rng(stream(0, 0, "permutation"))
    block = np.tile(pooled, (DRAWS_PER_BLOCK, 1))
    sums = [generator.permuted(block, axis=1)[:, :size].sum(axis=1) for _ in range(BLOCKS)]
    return _drawn(np.concatenate(sums), observed, slack)


def paired_p(differences: Sequence[float]) -> float:
    """Return p of the sign-flip test that the differences over common seeds have mean 0.

    >>> paired_p([1.0, 2.0, 3.0]) == 2 ** (1 - 3)
    True
    """
    steps = np.array(differences, dtype=np.float64)
    slack, observed = TIE * float(np.abs(steps).sum()), float(steps.sum())
    if len(steps) <= MAX_SIGNS:
        sums = np.zeros(1)
        for step in steps:
            sums = np.concatenate([sums - step, sums + step])
        return _two_sided(float((sums <= observed + slack).mean()), float((sums >= observed - slack).mean()))
    generator = np.random.default_rng(stream(0, 0, "sign flips"))
    signs = generator.integers(0, 2, size=(DRAWS, len(steps))) * 2.0 - 1.0
    return _drawn(signs @ steps, observed, slack)


def convergence_p(converged_a: int, n_a: int, converged_b: int, n_b: int) -> float:
    """Return p of Fisher's exact test that the two converge equally often.

    >>> round(convergence_p(0, 5, 5, 5), 4), convergence_p(2, 5, 3, 5)
    (0.0079, 1.0)
    """
    converged, every = converged_a + converged_b, comb(n_a + n_b, converged_a + converged_b)

    def ways(low: int, high: int) -> int:
        return sum(comb(n_a, k) * comb(n_b, converged - k) for k in range(low, high + 1))

    first, last = max(0, converged - n_b), min(n_a, converged)
    return _two_sided(ways(first, converged_a) / every, ways(converged_a, last) / every)


def _two_sided(lower: float, upper: float) -> float:
    return min(1.0, 2 * min(lower, upper))


def _drawn(sums: Floats, observed: float, slack: float) -> float:
    lower, upper = int((sums <= observed + slack).sum()), int((sums >= observed - slack).sum())
    return _two_sided((lower + 1) / (DRAWS + 1), (upper + 1) / (DRAWS + 1))


def _sums_at_most(values: Floats, size: int, limits: Floats) -> list[int]:
    """Return, for each limit, the number of subsets of `size` values whose sum is at or below it."""
    left, right = _subset_sums(values[::2]), _subset_sums(values[1::2])
    counts = [0] * len(limits)
    for taken in range(max(0, size - len(right) + 1), min(size, len(left) - 1) + 1):
        for i, limit in enumerate(limits):
            room = limit - left[taken][::-1]  # ascending, so that searchsorted reads memory in order
            counts[i] += int(np.searchsorted(right[size - taken], room, side="right").sum())
    return counts


def _subset_sums(values: Floats) -> list[Floats]:
    """Return the sorted sums of all subsets, by size: entry j holds those of j values."""
    sums: list[Floats] = [np.zeros(1)]
    for value in values:
        grown = [s + value for s in sums]
        sums = [
            np.concatenate([kept, added])
            for kept, added in zip([*sums, np.empty(0)], [np.empty(0), *grown], strict=True)
        ]
    return [np.sort(s) for s in sums]
