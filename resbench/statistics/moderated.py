"""Variances of k architectures -> moderated variances with their degrees of freedom -> Welch's t.  Smyth 2004.

A variance from 5 seeds is off by a factor of two; the other units of the study show what is usual. Empirical Bayes: the
log variances give a prior variance and its weight in degrees of freedom (scaled F, by moments). The weight is at most
min(2, k - 3, n - 2), since one unit may truly have ten times the spread of the others: two or three units get plain Welch.
The prior variance is Smyth's, fitted before the weight is limited. Where n differs over units, n is the smallest:
one prior for all, with the weight that the smallest sample allows; each variance keeps its own n - 1 in addition.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, polygamma

from resbench.errors import BadInput
from resbench.statistics.sample import Sample

Floats = NDArray[np.float64]

MAX_PRIOR_WEIGHT = 2.0


SMALLEST_VARIANCE = 1e-24  # for scores that are no error rates: only so that the logarithm exists


def variance_floor(n_val: int | None) -> float:
    """Return the smallest credible variance (squared error points): that of rounding to whole images of a val set of `n_val`.

    None: the scores are not shares of images, so the floor is almost 0."""
    if n_val is None:
        return SMALLEST_VARIANCE
    if n_val < 1:
        raise BadInput(f"`n_val`: expected the number of validation images, 1 or more, got {n_val}")
    return (100 / n_val) ** 2 / 12


def moments(samples: Sequence[Sample]) -> tuple[Floats, Floats, Floats]:
    """Return means, variances and numbers of converged runs, [k] each; every sample needs two converged runs or more."""
    means, variances, counts = [], [], []
    for sample in samples:
        mean, variance = sample.mean, sample.variance
        if mean is None or variance is None:
            raise BadInput(
                f"`{sample.name}`: expected 2 or more converged runs, for a variance, got {sample.converged}"
            )
        means.append(mean)
        variances.append(variance)
        counts.append(sample.converged)
    return np.array(means), np.array(variances), np.array(counts, dtype=np.float64)


def moderate(variances: Floats, counts: Floats, floor: float) -> tuple[Floats, Floats]:
    """Return moderated variances and their degrees of freedom, [k] each. `floor`: the smallest variance, before and after."""
    own_df = counts - 1
    floored = np.maximum(variances, floor)
    cap = min(MAX_PRIOR_WEIGHT, len(counts) - 3, counts.min(initial=np.inf) - 2)
    if cap <= 0:
        return floored, own_df
    prior, fitted = _fit_prior(floored, own_df)
    weight = min(fitted, cap)
    shrunk = (weight * prior + own_df * floored) / (weight + own_df)
    return np.maximum(shrunk, floor), own_df + weight


def welch(difference: Floats, error_a: Floats, error_b: Floats, df_a: Floats, df_b: Floats) -> tuple[Floats, Floats]:
    """Return Welch's t and Satterthwaite's degrees of freedom, any shape. `error`: variance / n, each with its own `df`."""
    error = error_a + error_b
    return difference / np.sqrt(error), error**2 / (error_a**2 / df_a + error_b**2 / df_b)


def _fit_prior(variances: Floats, df: Floats) -> tuple[float, float]:
    """Return the prior variance and its degrees of freedom (inf if the variances differ no more than by chance)."""
    logs = np.log(variances) - digamma(df / 2) + np.log(df / 2)
    centre = float(logs.mean())
    excess = float(logs.var(ddof=1) - polygamma(1, df / 2).mean())
    if excess <= 0:
        return float(np.exp(centre)), float("inf")
    half = _trigamma_inverse(excess)
    return float(np.exp(centre + digamma(half) - np.log(half))), 2 * half


def _trigamma_inverse(value: float) -> float:
    """Return the y with trigamma(y) = value > 0. Newton on 1 / trigamma, which is convex and nearly straight (Smyth's
    appendix).
    """
    if value > 1e7:
        return float(value**-0.5)
    if value < 1e-6:
        return 1 / value
    y = 0.5 + 1 / value
    for _ in range(50):
        trigamma = float(polygamma(1, y))
        step = trigamma * (1 - trigamma / value) / float(polygamma(2, y))
        y += step
        if -step < 1e-10 * y:
            break
    return y
