"""A rung and a pruning rule -> when runs are stopped before their end: at the rung, above a median, out of patience.

Runs that are trained as one network stop together, by the mean over them; one that is not finite counts as wholly wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from statistics import fmean
from typing import Any

ShouldStop = Callable[[Sequence[Sequence[float]]], bool]
WORST_PCT = 100.0


def stopping_rule(upto: int | None, prune: Mapping[str, Any]) -> ShouldStop:
    """Return what decides, from the val errors of each run so far, whether they stop.

    Args:
        upto: The epoch of the rung; None: none.
        prune: `{above: {epoch: percent}}`, `{epochs, by}`, or empty.
    """
    above = {int(epoch): limit for epoch, limit in prune.get("above", {}).items()}

    def should_stop(errors: Sequence[Sequence[float]]) -> bool:
        means = means_of(errors)
        epoch = len(means)
        if upto is not None and epoch >= upto:
            return True
        if epoch in above and means[-1] > above[epoch]:
            return True
        return "epochs" in prune and _is_stuck(means, prune["epochs"], prune["by"])

    return should_stop


def selection_epochs(upto: int | None, prune: Mapping[str, Any]) -> Callable[[int], bool]:
    """Return whether something is chosen by the val errors after an epoch: at a rung, at medians, while patience runs."""
    start = 1 if "epochs" in prune else prune.get("from")
    return lambda epoch: epoch == upto or (start is not None and epoch >= start)


def means_of(errors: Sequence[Sequence[float]]) -> list[float]:
    """Return the mean of each epoch over the runs; one that has ended is wholly wrong from there on.

    >>> means_of([[50.0, 40.0], [60.0]])
    [55.0, 70.0]
    """
    last = max(map(len, errors))
    rows = [[run[i] if i < len(run) and isfinite(run[i]) else WORST_PCT for run in errors] for i in range(last)]
    return [fmean(row) for row in rows]


def _is_stuck(means: Sequence[float], epochs: int, by: float) -> bool:
    """Return whether none of the last so many epochs is better than the best before them by so many points."""
    if len(means) <= epochs:
        return False
    needed = min(means[:-epochs]) - by
    best = min(means[-epochs:])
    return best > needed or (by == 0 and best == needed)
