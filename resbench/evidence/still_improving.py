"""Runs of a unit with the end of their training -> whether the unit was still improving when it was evaluated.

It was if the training error, extrapolated at the rate of the last epochs over another fifth of the run, would certainly fall by
more than the seeds can tell apart. Only the training error is used: it is a mean over many images, and does not jump with the
statistics of norms, as the validation error of an epoch at a high learning rate does.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, stdev

from resbench.statistics.sample import MIN_SEEDS, Sample
from resbench.store.results.last_epochs import LastEpochs

FURTHER = 0.2  # of the run's length
ERRORS = (
    2.0  # standard errors: of the mean val error, about what one study can tell apart; of the fall, which may be luck
)


def was_improving(sample: Sample, ends: Sequence[LastEpochs], n_val: int) -> bool:
    """Return whether a unit was still improving. `ends` are the last epochs of the converged runs of the sample.

    The smallest difference that counts is one validation image.

    >>> falling = [LastEpochs(4, 1, 28.6, 14.6)] * 3
    >>> was_improving(Sample("a", (19.4, 12.9, 10.6)), falling, 340)
    True
    >>> was_improving(Sample("a", (2.9, 1.5, 2.6)), [LastEpochs(12, 1, 0.7, 0.5)] * 3, 340)
    False
    """
    if sample.converged < MIN_SEEDS or len(ends) < MIN_SEEDS or sample.variance is None:
        return False
    falls = [(end.before_pct - end.last_pct) / end.span * FURTHER * end.epochs for end in ends]
    least = fmean(falls) - ERRORS * stdev(falls) / len(falls) ** 0.5
    return bool(least > max(ERRORS * (sample.variance / sample.converged) ** 0.5, 100 / n_val))
