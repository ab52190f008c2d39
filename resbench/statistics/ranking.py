"""Samples of a study, n_val -> its ranking: one row per architecture, sorted by the mean that is tested.

The order of rows is, from the top: units with a mean, by mean; failing units (under half of the runs converged), by share
converged, then mean; units without a run. Ties are sorted by name. `tied_with_best` is
- True: still in the tie group, so no test has shown it to be worse than the best;
- False: excluded at 95 % confidence, or failing over 3 runs or more;
- None: no claim. With fewer than 3 converged runs (for a failing unit, fewer than 3 runs) a unit is in no test, so it can
  neither be excluded nor exclude others. If every unit fails, there is no best to be tied with either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt

from resbench.statistics.intervals import interval, is_skewed, median
from resbench.statistics.moderated import variance_floor
from resbench.statistics.sample import Sample, by_name
from resbench.statistics.standing import Scored, TieMembership, standing


@dataclass(frozen=True, slots=True)
class Ranked:
    """One row of a ranking. Errors are in %; mean, std, interval are over converged runs, `median` over all (None: it
    diverged).
    """

    rank: int
    name: str
    n: int
    converged: int
    diverged: int
    missing: int
    median: float | None
    mean: float | None
    std: float | None
    ci_low: float | None
    ci_high: float | None
    tied_with_best: bool | None
    fails: bool
    skewed: bool


def rank(samples: Sequence[Sample], *, n_val: int | None, tied: TieMembership | None = None) -> list[Ranked]:
    """Return the rows, best first. `n_val`: validation images, whose resolution is the smallest credible spread; None: not
    an error rate.

    `tied`: the tie membership, if another design than rule 6 decides (a race, several objectives).

    >>> rows = rank([Sample("b", (9.1, 9.3, 9.0)), Sample("a", (6.1, 6.3, 6.0))], n_val=5000)
    >>> [(row.rank, row.name, row.tied_with_best) for row in rows]
    [(1, 'a', True), (2, 'b', False)]
    """
    by_name(samples)
    floor = variance_floor(n_val)
    tied = standing([Scored(tuple(samples), floor)]) if tied is None else tied
    ordered = sorted(samples, key=_place)
    return [_row(position, sample, tied[sample.name], n_val) for position, sample in enumerate(ordered, start=1)]


def _place(sample: Sample) -> tuple[int, float, float, str]:
    mean = inf if sample.mean is None else sample.mean
    if sample.n == 0:
        return 2, 0.0, mean, sample.name
    if sample.fails:
        return 1, -sample.converged / sample.n, mean, sample.name
    return 0, 0.0, mean, sample.name


def _row(position: int, sample: Sample, tied: bool | None, n_val: int | None) -> Ranked:
    low, high = interval(sample, n_val) or (None, None)
    return Ranked(
        rank=position,
        name=sample.name,
        n=sample.n,
        converged=sample.converged,
        diverged=sample.diverged,
        missing=sample.missing,
        median=median(sample),
        mean=sample.mean,
        std=None if sample.variance is None else sqrt(sample.variance),
        ci_low=low,
        ci_high=high,
        tied_with_best=tied,
        fails=sample.fails,
        skewed=is_skewed(sample.scores),
    )
