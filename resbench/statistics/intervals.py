"""Scores of one architecture -> intervals: of a mean (t), of a mean error rate (t on the logit scale), of the median (order
statistics), of a share (exact binomial).

They are about new seeds on this split, not about another split or data set. There is no bootstrap: with fewer than
30 runs its coverage is too low (BCa 84 % at n = 5, where the t interval covers 95 %).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, inf, sqrt
from statistics import fmean

from scipy.special import betaincinv, expit, logit, stdtrit

from resbench.errors import BadInput
from resbench.statistics.moderated import variance_floor
from resbench.statistics.sample import MIN_SEEDS, Sample

CONFIDENCE = 0.95
SKEW_LIMIT, SKEW_MIN_RUNS = 1.0, 8


@dataclass(frozen=True, slots=True)
class MedianInterval:
    """Two order statistics and the probability that they contain the median. `high` None: that run diverged."""

    low: float | None
    high: float | None
    coverage: float


def mean_interval(sample: Sample, *, variance_floor: float = 0.0) -> tuple[float, float] | None:
    """Return the 95 % t interval of the mean over converged runs (%); None under 3 of them.

    `variance_floor` (squared error points): equal scores on a finite val set do not prove a spread of zero.
    """
    mean, variance, n = sample.mean, sample.variance, sample.converged
    if mean is None or variance is None or n < MIN_SEEDS:
        return None
    half = float(stdtrit(n - 1, 0.5 + CONFIDENCE / 2)) * sqrt(max(variance, variance_floor) / n)
    return mean - half, mean + half


def error_interval(sample: Sample, n_val: int) -> tuple[float, float] | None:
    """Return the 95 % interval of the mean error rate over converged runs (%), within 0 and 100; None under 3 of them.

    A t interval of the logit of the mean, its standard error by the delta method (Agresti 2013, Categorical Data Analysis,
    3.1.6); a mean of 0 (or 100) counts as half an error (or half a right answer) over all `n_val` images of all runs. Where
    errors are low and seeds few, its coverage is higher than that of the t interval (benchmarks/CALIBRATION.md).

    >>> [round(end, 1) for end in error_interval(Sample("a", (7.4, 9.4, 54.4)), 340)]
    [0.8, 92.3]
    """
    mean, variance, n = sample.mean, sample.variance, sample.converged
    if mean is None or variance is None or n < MIN_SEEDS:
        return None
    least = 1 / (2 * n * n_val)
    share = min(max(mean / 100, least), 1 - least)
    error = sqrt(max(variance, variance_floor(n_val)) / n) / 100 / (share * (1 - share))
    half = float(stdtrit(n - 1, 0.5 + CONFIDENCE / 2)) * error
    low = 0.0 if mean <= 0 else 100 * float(expit(logit(share) - half))
    high = 100.0 if mean >= 100 else 100 * float(expit(logit(share) + half))
    return min(low, mean), max(high, mean)


def interval(sample: Sample, n_val: int | None) -> tuple[float, float] | None:
    """Return the interval of the mean: `error_interval`, or `mean_interval` if the scores are no error rates (`n_val` None)."""
    if n_val is None:
        return mean_interval(sample, variance_floor=variance_floor(None))
    return error_interval(sample, n_val)


def median(sample: Sample) -> float | None:
    """Return the median over all runs; a diverged run is worse than any number. None: the median run diverged, or there is none.

    >>> median(Sample("a", (5.0, 7.0, 6.0), diverged=2))
    7.0
    >>> median(Sample("a", (5.0, 6.0), diverged=2)) is None
    True
    """
    runs = _all_runs(sample)
    if not runs:
        return None
    return _number((runs[(len(runs) - 1) // 2] + runs[len(runs) // 2]) / 2)


def median_interval(sample: Sample) -> MedianInterval | None:
    """Return the narrowest pair of order statistics over all runs that covers 95 %, else best to worst; None under 3 runs.

    >>> median_interval(Sample("a", (5.0, 7.0, 6.0, 9.0, 8.0)))
    MedianInterval(low=5.0, high=9.0, coverage=0.9375)
    """
    runs, n = _all_runs(sample), sample.n
    if n < MIN_SEEDS:
        return None
    cut = 0  # runs excluded on either side
    while 2 * (cut + 1) < n and _coverage(n, cut + 1) >= CONFIDENCE:
        cut += 1
    return MedianInterval(_number(runs[cut]), _number(runs[n - 1 - cut]), _coverage(n, cut))


def share_interval(successes: int, n: int) -> tuple[float, float]:
    """Return the exact 95 % binomial interval of a share, such as that of converged runs. Clopper & Pearson 1934.

    >>> [round(end, 3) for end in share_interval(4, 5)]
    [0.284, 0.995]
    """
    if not 0 <= successes <= n:
        raise BadInput(f"share: expected 0 <= successes <= n, got {successes} of {n}")
    tail = (1 - CONFIDENCE) / 2
    low = 0.0 if successes == 0 else float(betaincinv(successes, n - successes + 1, tail))
    high = 1.0 if successes == n else float(betaincinv(successes + 1, n - successes, 1 - tail))
    return low, high


def is_skewed(scores: Sequence[float]) -> bool:
    """Return whether skewness lowers the coverage of the mean's interval (to 86 to 92 %): |moment skewness| > 1 over 8 or
    more runs.
    """
    if len(scores) < SKEW_MIN_RUNS or min(scores) == max(scores):
        return False
    centre = fmean(scores)
    second = fmean([(score - centre) ** 2 for score in scores])
    third = fmean([(score - centre) ** 3 for score in scores])
    return bool(abs(third) > SKEW_LIMIT * second**1.5)


def _all_runs(sample: Sample) -> list[float]:
    return sorted(sample.scores) + [inf] * sample.diverged


def _number(score: float) -> float | None:
    return None if score == inf else score


def _coverage(n: int, cut: int) -> float:
    """Return the probability that the median of n runs lies between run `cut` + 1 from below and run `cut` + 1 from above."""
    return 1 - 2 * sum(comb(n, k) for k in range(cut + 1)) / (1 << n)
