"""Labels (B) -> positions drawn at random within each class, the same on every machine and with every numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from resbench.random_streams import stream

Index = NDArray[np.int64]


def shuffled_by_class(labels: Index, purpose: str) -> list[Index]:
    """Return, for each class from 0, the positions of its images, ordered by a hash of (position, purpose)."""
    classes = range(int(labels.max()) + 1)
    return [
        np.array(sorted(np.flatnonzero(labels == one).tolist(), key=lambda i: stream(0, i, purpose)), dtype=np.int64)
        for one in classes
    ]


def take(by_class: list[Index], start: int, stop: int | None) -> Index:
    """Return the images from `start` to before `stop` of each class (None: all that are left), in the order of the file.

    >>> take([np.array([4, 0, 2]), np.array([3, 5, 1])], 0, 2).tolist()
    [0, 3, 4, 5]
    """
    return np.sort(np.concatenate([positions[start:stop] for positions in by_class]))
