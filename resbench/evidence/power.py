"""Standard deviations, a difference -> the chance that rule 6 sees it with so many seeds, and the seeds that see it.

The question: if one unit were better than every other by the difference, which share of the others would be left out? It is put
to the very procedure, on drawn means and variances of normal runs; each unit is the better one in turn. It is asked twice, since
sds of few seeds are off by a factor of up to two: for the sds as seen, and for their upper 80 % limits.
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
    """`seeds`: fewest for each unit at which `power` is reached, None: not with MOST_SEEDS; `error`: Monte-Carlo's, of one sd."""

    sds: tuple[float, ...]
    seeds: int | None
    power: float
    error: float


def power(sds: Sequence[float], seeds: int, delta: float, *, n_val: int | None, level: float = LEVEL) -> float:
    """Share of the units that are worse by `delta` left out, over STUDIES simulated studies from a fixed stream.

    >>> power([0.2, 0.2], 8, 0.4, n_val=5000) > 0.8 > power([0.2, 0.2], 3, 0.4, n_val=5000)
    True
    """
    if delta <= 0:
        raise BadInput(f"`delta` (={delta:g}) is a difference in the units of the objective, above 0")
    if len(sds) < 2:
        raise BadInput("power is about a difference; a study of one unit has none")
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
    left_out = 0
    for mean, variance, best in zip(means, variances, better, strict=True):
        member = tie_group(mean, variance, counts, floor, level)
        left_out += int((~member).sum()) - int(not member[best])
    return left_out / (STUDIES * (k - 1))


def seeds_for(sds: Sequence[float], delta: float, *, n_val: int | None) -> PowerPlan:
    """Return fewest seeds for each unit that give WANTED power: doubled until there, then halved between."""
    low, high = MIN_SEEDS - 1, MIN_SEEDS
    while (reached := power(sds, high, delta, n_val=n_val)) < WANTED:
        if high >= MOST_SEEDS:
            return PowerPlan(tuple(sds), None, reached, _error(reached, len(sds)))
        low, high = high, min(2 * high, MOST_SEEDS)
    while high - low > 1:
        middle = (low + high) // 2
        if (found := power(sds, middle, delta, n_val=n_val)) < WANTED:
            low = middle
        else:
            high, reached = middle, found
    return PowerPlan(tuple(sds), high, reached, _error(reached, len(sds)))


def sds_of(samples: Sequence[Sample]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Of the units that a test is possible of: sds as seen, and their one-sided upper 80 % limits (chi squared)."""
    tested = [sample for sample in samples if sample.testable and sample.variance is not None]
    seen = tuple(sqrt(sample.variance or 0.0) for sample in tested)
    upper = tuple(
        sd * sqrt((sample.converged - 1) / float(chdtri(sample.converged - 1, LIMIT)))
        for sd, sample in zip(seen, tested, strict=True)
    )
    return seen, upper


def _error(share: float, k: int) -> float:
    """At most: the units of one study are not independent, so each study counts once."""
    return sqrt(share * (1 - share) / STUDIES)
