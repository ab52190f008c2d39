"""Proxies and trained errors of many architectures -> how well each proxy ranks them: Kendall's tau-b, with its interval.

Intervals are by the percentile bootstrap over architectures (evidence rule 12), from 30 architectures on. Every proxy is compared
with the baselines (parameters, MACs) by the bootstrap of the difference. The ceiling is the tau between two halves of the seeds:
no proxy can be expected above it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from resbench.random_streams import stream

MIN_ARCHITECTURES = 30
RESAMPLES = 2000
SPLITS = 20
Signs = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ProxyAgreement:
    """How well a proxy ranks architectures. Intervals are 95 %; None below 30 architectures.

    Attributes:
        n: the number of architectures for which the proxy is a number.
        tau: the correlation with accuracy; 1 where the proxy ranks as the trained networks do.
        beside: tau minus that of each baseline, with its interval.
    """

    name: str
    n: int
    tau: float
    low: float | None
    high: float | None
    beside: Mapping[str, tuple[float, float | None, float | None]]


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The mean and range of tau over splits of the seeds into two halves. `runs` is the fewest runs of an architecture."""

    tau: float
    low: float
    high: float
    splits: int
    runs: int


def agreements(
    values: Mapping[str, Sequence[float | None]], errors: Sequence[float], baselines: Sequence[str], seed: int = 0
) -> list[ProxyAgreement]:
    """Return the agreement of each proxy with the trained errors.

    Args:
        values: for each proxy, its value for each architecture.
        errors: the trained error of each architecture; inf where a unit fails (all those are tied).
    """
    true = np.array(errors)
    results = []
    for name, own in values.items():
        there = np.array([i for i, value in enumerate(own) if value is not None], dtype=int)
        signs = {
            other: _signs(np.array([values[other][i] for i in there], dtype=float)) for other in {name, *baselines}
        }
        target = _signs(-true[there])
        taus = {other: _tau(each, target) for other, each in signs.items()}
        drawn = (
            _resampled(signs, target, stream(seed, 0, "bootstrap proxies")) if len(there) >= MIN_ARCHITECTURES else None
        )
        low, high = _interval(None if drawn is None else drawn[name])
        beside = {
            other: (taus[name] - taus[other], *_interval(None if drawn is None else drawn[name] - drawn[other]))
            for other in baselines if other != name
        }  # fmt: skip
        results.append(ProxyAgreement(name, len(there), taus[name], low, high, beside))
    return results


def ceiling(scores: Sequence[Sequence[float]], seed: int = 0) -> Ceiling | None:
    """Return the tau that two halves of the seeds reach; None where an architecture has fewer than two runs.

    `scores` holds the errors of the runs of each architecture; a diverged one is inf.
    """
    fewest = min(map(len, scores))
    if fewest < 2:
        return None
    random = np.random.default_rng(stream(seed, 0, "halves"))
    taus = []
    for _ in range(SPLITS):
        order = random.permutation(fewest)
        halves = [order[: fewest // 2], order[fewest // 2 :]]
        one, other = ([fmean(runs[i] for i in half) for runs in scores] for half in halves)
        taus.append(_tau(_signs(np.array(one)), _signs(np.array(other))))
    return Ceiling(fmean(taus), min(taus), max(taus), SPLITS, fewest)


def _signs(values: NDArray[np.float64]) -> Signs:
    """Return the sign of the difference of every pair; two infinite values of one sign are equal."""
    finite = np.where(np.isinf(values), np.sign(values) * 1e300, values)
    signs: Signs = np.sign(finite[:, None] - finite[None, :])
    return signs


def _tau(one: Signs, other: Signs) -> float:
    size = np.sqrt((one**2).sum() * (other**2).sum())
    return float((one * other).sum() / size) if size else 0.0


def _resampled(signs: Mapping[str, Signs], target: Signs, seed: int) -> dict[str, NDArray[np.float64]]:
    """Return the taus of each proxy over the same resamples; an architecture that is drawn twice counts as a tied pair."""
    count = len(target)
    weights = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=RESAMPLES).astype(float)

    def over(matrix: Signs) -> NDArray[np.float64]:
        sums: NDArray[np.float64] = np.einsum("ri,ri->r", weights @ matrix, weights)
        return sums

    own = over(target**2)
    taus = {}
    for name, each in signs.items():
        size = np.sqrt(over(each**2) * own)
        taus[name] = np.divide(over(each * target), size, out=np.zeros_like(size), where=size > 0)
    return taus


def _interval(drawn: NDArray[np.float64] | None) -> tuple[float | None, float | None]:
    if drawn is None:
        return None, None
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)
