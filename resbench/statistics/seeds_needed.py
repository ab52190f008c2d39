"""Runs per architecture, pairs shown -> the smallest p that an exact test can reach, and the seeds that a claim would need.

An exact test of few runs has few assignments to count, so its p has a lower bound whatever the data:
unpaired 2 / C(2n, n) (n = 4: 0.029, 5: 0.0079, 6: 0.0022), paired 2^(1-n); times the number of pairs shown.
"""

from __future__ import annotations

from math import comb

from resbench.errors import BadInput
from resbench.statistics.exact import DRAWS, MAX_POOLED, MAX_SIGNS
from resbench.statistics.sample import LEVEL, MIN_SEEDS


def smallest_p(n_a: int, n_b: int, *, paired: bool = False) -> float:
    """Return the smallest two-sided p of the exact test of `n_a` against `n_b` runs; paired: of `n_a` = `n_b` common seeds.

    >>> round(smallest_p(4, 4), 3), smallest_p(5, 5, paired=True)
    (0.029, 0.0625)
    """
    if paired and n_a != n_b:
        raise BadInput(f"paired runs: expected equal numbers on both sides, got {n_a} and {n_b}")
    drawn = 2 / (DRAWS + 1)  # the smallest p of random assignments, if there are too many to count
    if paired:
        return min(1.0, max(2.0 ** (1 - n_a), drawn if n_a > MAX_SIGNS else 0.0))
    return min(1.0, max(2 / comb(n_a + n_b, n_a), drawn if n_a + n_b > MAX_POOLED else 0.0))


def seeds_to_claim(pairs: int, *, paired: bool = False) -> int | None:
    """Return the fewest seeds per architecture with which a claim about `pairs` pairs is possible; None: no number suffices.

    >>> seeds_to_claim(28), seeds_to_claim(28, paired=True)
    (7, 11)
    """
    if pairs < 1:
        raise BadInput(f"`pairs`: expected the number of pairs shown, 1 or more, got {pairs}")
    seeds = range(MIN_SEEDS, max(MAX_POOLED, MAX_SIGNS) + 1)
    return next((n for n in seeds if pairs * smallest_p(n, n, paired=paired) <= LEVEL), None)
