"""Samples of a study, pairs of names -> one Comparison per pair: difference, interval, p, Holm over the pairs shown, claim.

- `welch` (the default): Welch's t test with variances moderated over *all* testable units of the study, shown or not.
- `exact`: a permutation test on the runs of both units. `paired`: sign flips over the common seeds; only for a study that sets
  `paired: true` before its first run, which the caller checks. `anytime`: for a study whose seeds were added after a look.
The interval is Welch's, from the two observed variances (floored, not moderated): for one pair it covers 95 % where the
units' spreads differ tenfold; the moderated one covers 90 %. p is adjusted for all pairs shown, so the two may disagree.
A pair has no interval, p or claim where either unit fails or has fewer than 3 converged runs (paired: common seeds).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from math import sqrt
from typing import get_args

import numpy as np
from scipy.special import stdtr, stdtrit

from resbench.did_you_mean import did_you_mean
from resbench.errors import BadInput
from resbench.statistics.anytime import anytime_test
from resbench.statistics.comparison import Comparison, Method, effect_sd
from resbench.statistics.exact import unpaired_p
from resbench.statistics.intervals import CONFIDENCE
from resbench.statistics.moderated import moderate, moments, variance_floor, welch
from resbench.statistics.paired import correlation, paired
from resbench.statistics.sample import LEVEL, Sample, by_name
from resbench.statistics.seeds_needed import smallest_p

Spread = tuple[float, float]  # moderated variance / n, its degrees of freedom


def compare(
    samples: Sequence[Sample],
    pairs: Sequence[tuple[str, str]] | None = None,
    *,
    n_val: int | None,
    method: Method = "welch",
    looks: int = 1,
) -> list[Comparison]:
    """Compare every given pair (None: all pairs of the study), in the given order.

    Args:
        samples: all samples of the study.
        n_val: as in `rank`.
        looks: the number of planned looks of a race, which share its 5 %: p is multiplied by it.

    >>> study = [Sample("a", (6.1, 6.3, 6.0)), Sample("b", (9.1, 9.3, 9.0))]
    >>> [(c.a, c.b, round(c.difference, 1), c.claim) for c in compare(study, n_val=5000)]
    [('a', 'b', -3.0, True)]
    """
    if method not in get_args(Method):
        raise BadInput(
            f"method: expected one of {', '.join(get_args(Method))}, got `{method}`{did_you_mean(method, get_args(Method))}"
        )
    named, floor = by_name(samples), variance_floor(n_val)
    spread = _spread(samples, floor)
    rows = []
    for name_a, name_b in combinations(named, 2) if pairs is None else pairs:
        a, b = _find(named, name_a), _find(named, name_b)
        if name_a == name_b:
            raise BadInput(f"pair: expected two architectures, got `{name_a}` twice")
        rows.append(paired(a, b, floor) if method == "paired" else _unpaired(a, b, spread, floor, method))
    if looks > 1:
        rows = [replace(row, p=_times(row.p, looks), smallest_p=_times(row.smallest_p, looks)) for row in rows]
    adjusted, best = holm([row.p for row in rows]), holm([row.smallest_p for row in rows])
    return [replace(row, p_holm=p, smallest_p_holm=least) for row, p, least in zip(rows, adjusted, best, strict=True)]


def holm(ps: Sequence[float | None]) -> list[float | None]:
    """Return the p values adjusted for their number, in their order (Holm 1979). None means no test, and is not counted.

    >>> holm([0.01, None, 0.04])
    [0.02, None, 0.04]
    """
    tested = sorted((p, i) for i, p in enumerate(ps) if p is not None)
    adjusted: list[float | None] = [None] * len(ps)
    highest = 0.0
    for done, (p, i) in enumerate(tested):
        highest = max(highest, min(1.0, p * (len(tested) - done)))
        adjusted[i] = highest
    return adjusted


def _spread(samples: Sequence[Sample], floor: float) -> dict[str, Spread]:
    """Return the moderated errors of the mean of the testable units; a unit that is missing here is in no test."""
    tested = [sample for sample in samples if sample.testable]
    _, variances, counts = moments(tested)
    moderated, df = moderate(variances, counts, floor)
    return {s.name: (float(e), float(d)) for s, e, d in zip(tested, moderated / counts, df, strict=True)}


def _unpaired(a: Sample, b: Sample, spread: dict[str, Spread], floor: float, method: Method) -> Comparison:
    row = Comparison(
        a.name,
        b.name,
        method,
        a.converged,
        b.converged,
        difference=None if a.mean is None or b.mean is None else a.mean - b.mean,
        effect_sd=effect_sd(a, b, floor),
        correlation=correlation(a, b),
    )
    if row.difference is None or a.name not in spread or b.name not in spread:
        return row
    low, high = _welch_interval(a, b, floor)
    if method == "exact":
        p = unpaired_p(a.scores, b.scores)
    elif method == "anytime":
        p = _anytime_p(a, b, floor)
    else:
        p = _welch_p(row.difference, *spread[a.name], *spread[b.name])
    return replace(row, ci_low=low, ci_high=high, p=p, smallest_p=smallest_p(row.n_a, row.n_b))


def _times(p: float | None, looks: int) -> float | None:
    return None if p is None else min(1.0, p * looks)


def _anytime_p(a: Sample, b: Sample, floor: float) -> float:
    means, variances, counts = moments([a, b])
    return min(1.0, 2 * float(anytime_test(means, variances, counts, floor, LEVEL).min()))


def _welch_p(difference: float, error_a: float, df_a: float, error_b: float, df_b: float) -> float:
    t, nu = welch(*(np.array(x) for x in (difference, error_a, error_b, df_a, df_b)))
    return min(1.0, 2 * float(stdtr(nu, -abs(t))))


def _welch_interval(a: Sample, b: Sample, floor: float) -> tuple[float, float]:
    means, variances, counts = moments([a, b])
    error, df, difference = np.maximum(variances, floor) / counts, counts - 1, float(means[0] - means[1])
    _, nu = welch(means[0] - means[1], error[0], error[1], df[0], df[1])
    half = float(stdtrit(nu, 0.5 + CONFIDENCE / 2)) * sqrt(error.sum())
    return difference - half, difference + half


def _find(named: dict[str, Sample], name: str) -> Sample:
    if name not in named:
        raise BadInput(f"no sample is named `{name}`{did_you_mean(name, list(named))}")
    return named[name]
