"""Two samples with seeds -> their paired Comparison over the common seeds, by sign flips; and their correlation over them.

For designs where the seed also draws the split or a subset of the data. Where it only draws weights and order, seeds
correlate at 0.0 to 0.2 between architectures, and pairing loses half of the degrees of freedom. The correlation
is shown; it never selects the test.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from resbench.errors import BadInput
from resbench.statistics.comparison import Comparison, effect_sd
from resbench.statistics.exact import paired_p
from resbench.statistics.intervals import mean_interval
from resbench.statistics.sample import MIN_SEEDS, Sample
from resbench.statistics.seeds_needed import smallest_p


def paired(a: Sample, b: Sample, floor: float) -> Comparison:
    """Compare a and b over the seeds that converged in both. `floor`: as in `moderate`, of one architecture."""
    for sample in (a, b):
        if sample.scores and not sample.seeds:
            raise BadInput(f"`{sample.name}`: a paired comparison requires the seed of every score, got none")
    common_a, common_b = _common(a, b)
    differences = Sample(
        f"{a.name} - {b.name}", tuple(x - y for x, y in zip(common_a.scores, common_b.scores, strict=True))
    )
    n = differences.converged
    effect = effect_sd(common_a, common_b, floor)
    row = Comparison(a.name, b.name, "paired", n, n, differences.mean, effect, correlation=correlation(a, b))
    interval = mean_interval(differences, variance_floor=2 * floor)  # both sides are rounded
    if interval is None or a.fails or b.fails:
        return row
    low, high = interval
    return replace(
        row, ci_low=low, ci_high=high, p=paired_p(differences.scores), smallest_p=smallest_p(n, n, paired=True)
    )


def _common(a: Sample, b: Sample) -> tuple[Sample, Sample]:
    """Return both samples restricted to the seeds that converged in both, in one order."""
    of_a, of_b = dict(zip(a.seeds, a.scores, strict=False)), dict(zip(b.seeds, b.scores, strict=False))
    seeds = [seed for seed in a.seeds if seed in of_b]
    return Sample(a.name, tuple(of_a[s] for s in seeds)), Sample(b.name, tuple(of_b[s] for s in seeds))


def correlation(a: Sample, b: Sample) -> float | None:
    """Return Pearson's correlation over 3 common seeds or more; None if a side is constant or no seeds were given."""
    if len(set(a.seeds) & set(b.seeds)) < MIN_SEEDS:
        return None
    common_a, common_b = _common(a, b)
    if common_a.converged < MIN_SEEDS or not common_a.variance or not common_b.variance:
        return None
    return float(np.corrcoef(common_a.scores, common_b.scores)[0, 1])
