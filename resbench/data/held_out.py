"""Labels of training images -> the tenth of each class that becomes val or test; every machine draws the same."""

from __future__ import annotations

from collections.abc import Sequence

from resbench.random_streams import stream

PART = 10  # one image in ten is held out, rounded down, and at least one


def tenth_by_class(labels: Sequence[int], purpose: str) -> list[int]:
    """Draw positions within each class by a hash of (place in the class, purpose); they are returned in ascending order.

    >>> len(tenth_by_class([0] * 25 + [1] * 3, "val of something"))
    3
    """
    places: dict[int, list[int]] = {}
    for position, label in enumerate(labels):
        places.setdefault(label, []).append(position)
    chosen: list[int] = []
    for of_class in places.values():
        order = sorted(range(len(of_class)), key=lambda i: stream(0, i, purpose))
        chosen += [of_class[i] for i in order[: max(1, len(of_class) // PART)]]
    return sorted(chosen)
