"""Standard deviations, a difference -> the power of rule 6 at a number of seeds, and the number of seeds that a power needs.

Power is the share of the other units that would be excluded if one unit were better than all of them by the difference. It is
estimated by Monte Carlo with the procedure itself, on simulated means and variances of normal runs; each unit is the better one
in turn. Standard deviations from few seeds are off by a factor of up to two, so callers compute it twice: for the observed ones,
and for their upper 80 % limits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.special import chdtri

from resbench.errors import BadInput
from resbench.random_streams import stream
from resbench.statistics.moderated import variance_floor
from resbench.statistics.sample import LEVEL, MIN_SEEDS, Sample
from resbench.statistics.ties import tie_group

STUDIES = 400
WANTED = 0.80
LIMIT = 0.80
MOST_SEEDS = 2000


@dataclass(frozen=True, slots=True)
class PowerPlan:
    """The number of seeds that a study needs.

    Attributes:
        seeds: the fewest seeds of each unit that reach `power`; None where MOST_SEEDS do not.
        error: the Monte Carlo standard error of `power`.
    """

    sds: tuple[float, ...]
    seeds: int | None
    power: float
    error: float


def power(sds: Sequence[float], seeds: int, delta: float, *, n_val: int | None, level: float = LEVEL) -> float:
    """Return the share of the units worse by `delta` that are excluded, over STUDIES simulated studies from a fixed stream.

    >>> power([0.2, 0.2], 8, 0.4, n_val=5000) > 0.8 > power([0.2, 0.2], 3, 0.4, n_val=5000)
    True
    """
    if delta <= 0:
        raise BadInput(f"delta: expected a difference above 0, in the unit of the objective, got {delta:g}")
    if len(sds) < 2:
        raise BadInput("power: expected two units or more, got a study of one, which has no difference to detect")
    if seeds < MIN_SEEDS:
        return 0.0
    floor, k = variance_floor(n_val), len(sds)
    spread = np.maximum(np.array(sds, dtype=np.float64), sqrt(floor))
    generator = np.random.default_rng(stream(seeds, 0, "power"))
    means = generator.normal(0.0, spread / sqrt(seeds), (STUDIES, k)) + delta
    better = np.arange(STUDIES) % k
    means[np.arange(STUDIES), better] -= delta
    variances = spread**2 * generator.chisquare(seeds - 1, (STUDIES, k)) / (seeds - 1)
    counts = np.full(k, float(seeds))
    excluded = 0
    for mean, variance, best in zip(means, variances, better, strict=True):
        member = tie_group(mean, variance, counts, floor, level)
        excluded += int((~member).sum()) - int(not member[best])
    return excluded / (STUDIES * (k - 1))


def seeds_for(sds: Sequence[float], delta: float, *, n_val: int | None) -> PowerPlan:
    """Return the fewest seeds of each unit that give WANTED power, by doubling and then bisection."""
    low, high = MIN_SEEDS - 1, MIN_SEEDS
    while (reached := power(sds, high, delta, n_val=n_val)) < WANTED:
        if high >= MOST_SEEDS:
            return PowerPlan(tuple(sds), None, reached, _error(reached, len(sds)))
        low, high = high, min(2 * high, MOST_SEEDS)
    while high - low > 1:
        middle = (low + high) // 2
        if (at_middle := power(sds, middle, delta, n_val=n_val)) < WANTED:
            low = middle
        else:
            high, reached = middle, at_middle
    return PowerPlan(tuple(sds), high, reached, _error(reached, len(sds)))


def sds_of(samples: Sequence[Sample]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the observed standard deviations of the testable units, and their one-sided upper 80 % limits (chi squared)."""
    tested = [sample for sample in samples if sample.testable and sample.variance is not None]
    seen = tuple(sqrt(sample.variance or 0.0) for sample in tested)
    upper = tuple(
        sd * sqrt((sample.converged - 1) / float(chdtri(sample.converged - 1, LIMIT)))
        for sd, sample in zip(seen, tested, strict=True)
    )
    return seen, upper


def _error(share: float, k: int) -> float:
    """Return an upper bound on the standard error: the units of one study are not independent, so each study counts once."""
    return sqrt(share * (1 - share) / STUDIES)
