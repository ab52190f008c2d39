"""Means, variances, n of m architectures -> which of them may be the best: none as good as the best is left out, at 95 %.

Stepwise: with m units in, a unit leaves if its one-sided p (moderated Welch) against any unit still in is at most
0.05 / (m (m - 1)); the variances are moderated again over those that stay; until none leaves. Each step spends 5 % over
all its ordered pairs, and a true best one that is still in at one step is in at the next (Goeman & Solari 2010, sequential
rejection), so the whole is at 5 %. The unit with the lowest mean never leaves. Why no shorter way: testing against the best one
*seen* makes 9 to 23 % false claims, pooling the variances 16 to 30 % when one unit is noisy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtr

from resbench.evidence.moderated import Floats, moderate, welch
from resbench.evidence.sample import LEVEL


def tie_group(means: Floats, variances: Floats, counts: Floats, floor: float) -> NDArray[np.bool_]:
    """True where a unit is still in, [m]. Counts of 3 or more; `floor` as in `moderate`.

    >>> from resbench.evidence.moderated import variance_floor
    >>> tie_group(np.array([6.0, 6.1, 9.0]), np.full(3, 0.04), np.full(3, 5.0), variance_floor(5000)).tolist()
    [True, True, False]
    """
    inside = np.arange(len(means))
    while len(inside) > 1:
        staying = ~_beaten(means[inside], *_spread(variances[inside], counts[inside], floor))
        if staying.all():
            break
        inside = inside[staying]
    member = np.zeros(len(means), dtype=np.bool_)
    member[inside] = True
    return member


def _spread(variances: Floats, counts: Floats, floor: float) -> tuple[Floats, Floats]:
    moderated, df = moderate(variances, counts, floor)
    return moderated / counts, df


def _beaten(means: Floats, error: Floats, df: Floats) -> NDArray[np.bool_]:
    """Which of m units are worse than at least one other, each ordered pair at LEVEL / (m (m - 1))."""
    m = len(means)
    level = LEVEL / (m * (m - 1))
    t, nu = welch(means[:, None] - means, error[:, None], error, df[:, None], df)
    # A t quantile is never below the normal one: pairs that the normal does not call are not worth a stdtr (20 times dearer).
    worse, better = np.nonzero(t >= -ndtri(level))
    beaten = np.zeros(m, dtype=np.bool_)
    beaten[worse[stdtr(nu[worse, better], -t[worse, better]) <= level]] = True
    return beaten
