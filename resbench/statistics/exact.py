"""Scores of two architectures -> p of an exact test, two-sided as twice the smaller tail: permutation, sign flips, convergence.

Nothing is assumed of the errors but that, if the architectures were alike, any assignment of the runs to them would be
as likely as the one seen. Every assignment is counted while there are few enough: subset sums of the two halves of the
pooled scores are made apart and matched by sorting (Horowitz & Sahni 1974), so 20 against 20 runs, 1.4e11 assignments,
take a tenth of a second. Beyond that random assignments are drawn from a fixed stream, p = (b + 1) / (m + 1) a tail.
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
TIE = 1e-12  # sums this near each other (relative) are one sum: rounding must not break ties between whole-image errors


def unpaired_p(a: Sequence[float], b: Sequence[float]) -> float:
    """Permutation test of the difference of means.

    >>> unpaired_p([1.0, 2.0, 3.0], [4.0, 5.0, 6.0]) == 2 / comb(6, 3)
    True
    """
    pooled = np.array([*a, *b], dtype=np.float64)
    slack = TIE * float(np.abs(pooled).sum())
    seen, size = float(pooled[: len(a)].sum()), len(a)
    if len(pooled) <= MAX_POOLED:
        below, above = _sums_at_most(pooled, size, np.array([seen + slack, seen - slack]))
        every = comb(len(pooled), size)
        return _two_sided(below / every, (every - above) / every)
    generator = np.random.default_rng(stream(0, 0, "permutation"))
    block = np.tile(pooled, (DRAWS_PER_BLOCK, 1))
    sums = [generator.permuted(block, axis=1)[:, :size].sum(axis=1) for _ in range(BLOCKS)]
    return _drawn(np.concatenate(sums), seen, slack)


def paired_p(differences: Sequence[float]) -> float:
    """Sign flips of the differences over common seeds: their mean against 0.

    >>> paired_p([1.0, 2.0, 3.0]) == 2 ** (1 - 3)
    True
    """
    steps = np.array(differences, dtype=np.float64)
    slack, seen = TIE * float(np.abs(steps).sum()), float(steps.sum())
    if len(steps) <= MAX_SIGNS:
        sums = np.zeros(1)
        for step in steps:
            sums = np.concatenate([sums - step, sums + step])
        return _two_sided(float((sums <= seen + slack).mean()), float((sums >= seen - slack).mean()))
    generator = np.random.default_rng(stream(0, 0, "sign flips"))
    signs = generator.integers(0, 2, size=(DRAWS, len(steps))) * 2.0 - 1.0
    return _drawn(signs @ steps, seen, slack)


def convergence_p(converged_a: int, n_a: int, converged_b: int, n_b: int) -> float:
    """Fisher's exact test: do the two converge equally often?

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


def _drawn(sums: Floats, seen: float, slack: float) -> float:
    lower, upper = int((sums <= seen + slack).sum()), int((sums >= seen - slack).sum())
    return _two_sided((lower + 1) / (DRAWS + 1), (upper + 1) / (DRAWS + 1))


def _sums_at_most(values: Floats, size: int, limits: Floats) -> list[int]:
    """For each limit, how many subsets of `size` values have a sum at or below it."""
    left, right = _subset_sums(values[::2]), _subset_sums(values[1::2])
    counts = [0] * len(limits)
    for taken in range(max(0, size - len(right) + 1), min(size, len(left) - 1) + 1):
        for i, limit in enumerate(limits):
            room = limit - left[taken][::-1]  # ascending, which lets searchsorted run through memory in order
            counts[i] += int(np.searchsorted(right[size - taken], room, side="right").sum())
    return counts


def _subset_sums(values: Floats) -> list[Floats]:
    """Sorted sums of all subsets, by size: entry j holds those of j values."""
    sums: list[Floats] = [np.zeros(1)]
    for value in values:
        grown = [s + value for s in sums]
        sums = [
            np.concatenate([kept, added])
            for kept, added in zip([*sums, np.empty(0)], [np.empty(0), *grown], strict=True)
        ]
    return [np.sort(s) for s in sums]
