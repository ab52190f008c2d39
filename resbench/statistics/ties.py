"""Means, variances, n of m architectures -> those that may be the best: with 95 % confidence no unit as good as the best is
excluded.

The procedure is stepwise: with m units in, a unit is excluded if its one-sided p (moderated Welch) against any unit still in is
at most 0.05 / (m (m - 1)); the variances are moderated again over those that stay; until none is excluded. Each step spends 5 %
over all its ordered pairs, and a true best unit that survives one step survives the next (Goeman & Solari 2010, sequential
rejection), so the whole is at 5 %. The unit with the lowest mean is never excluded. Simpler procedures fail: testing against the
best *observed* unit makes 9 to 23 % false claims, pooled variances 16 to 30 % when one unit is noisy.

With several objectives (the Pareto set) a unit is excluded only if another is better in all of them: p is the largest over these.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtr

from resbench.statistics.moderated import Floats, moderate, welch
from resbench.statistics.sample import LEVEL


@dataclass(frozen=True, slots=True)
class ObjectiveColumn:
    """One objective of m units, lower is better. `variances` None: exact numbers, such as parameters."""

    means: Floats
    variances: Floats | None
    floor: float


Test = Callable[[Floats, Floats, Floats, float, float], Floats]
"""Means, variances, counts, floor, level -> p [m, m] that row is worse than column; if above `level`, it may be inexact."""


def tie_group(
    means: Floats, variances: Floats, counts: Floats, floor: float, level: float = LEVEL
) -> NDArray[np.bool_]:
    """Return [m], True for each unit that is in the tie group. Counts must be 3 or more; `floor` is as in `moderate`.

    >>> from resbench.statistics.moderated import variance_floor
    >>> tie_group(np.array([6.0, 6.1, 9.0]), np.full(3, 0.04), np.full(3, 5.0), variance_floor(5000)).tolist()
    [True, True, False]
    """
    return stepwise([ObjectiveColumn(means, variances, floor)], counts, level)


def stepwise(
    columns: Sequence[ObjectiveColumn], counts: Floats, level: float = LEVEL, test: Test | None = None
) -> NDArray[np.bool_]:
    """Return the tie group (or Pareto set) for any number of objectives. `test`: by default moderated Welch."""
    inside = np.arange(len(counts))
    while (m := len(inside)) > 1:
        each = level / (m * (m - 1))
        p = np.maximum.reduce([_worse(column, inside, counts, each, test or welch_test) for column in columns])
        if all(column.variances is None for column in columns):  # of two units with the same numbers, neither is worse
            p[_equal(columns, inside)] = 1.0
        np.fill_diagonal(p, 1.0)
        staying = (p > each).all(axis=1)
        if staying.all():
            break
        inside = inside[staying]
    member = np.zeros(len(counts), dtype=np.bool_)
    member[inside] = True
    return member


def welch_test(means: Floats, variances: Floats, counts: Floats, floor: float, level: float) -> Floats:
    """Return p of Welch's t for each ordered pair, with variances moderated over all units."""
    moderated, df = moderate(variances, counts, floor)
    error = moderated / counts
    t, nu = welch(means[:, None] - means, error[:, None], error, df[:, None], df)
    # A t quantile is never below the normal one: pairs that the normal does not reject need no stdtr (20 times slower).
    near = t >= -ndtri(level)
    p = np.ones_like(t)
    p[near] = stdtr(nu[near], -t[near])
    return p


def _worse(column: ObjectiveColumn, inside: NDArray[np.intp], counts: Floats, level: float, test: Test) -> Floats:
    means = column.means[inside]
    if column.variances is None:
        return np.where(means[:, None] >= means, 0.0, 1.0)
    return test(means, column.variances[inside], counts[inside], column.floor, level)


def _equal(columns: Sequence[ObjectiveColumn], inside: NDArray[np.intp]) -> NDArray[np.bool_]:
    same = np.ones((len(inside), len(inside)), dtype=np.bool_)
    for column in columns:
        same &= column.means[inside][:, None] == column.means[inside]
    return same
