"""Uses of two networks -> the radius of the neighbourhood in which two uses agree: sizes, producers, consumers, theirs, and so
on.

Colours are refined as by Weisfeiler and Leman: the next colour of a use combines its colour with those of its sources and
readers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from resbench.verify.trace import TensorUse, bare

ROUNDS = 4
Likeness = Callable[[int, int], int]


def likeness(ours: Sequence[TensorUse], theirs: Sequence[TensorUse]) -> Likeness:
    """Return a function of one of our uses and one of theirs, by number: the rounds after which their colours are equal."""
    numbers: dict[object, int] = {}  # one number for equal colours of both networks
    rounds = [_colours(uses, numbers) for uses in (ours, theirs)]

    def alike(mine: int, its: int) -> int:
        return sum(a[mine] == b[its] for a, b in zip(*rounds, strict=True))

    return alike


def _colours(uses: Sequence[TensorUse], numbers: dict[object, int]) -> list[list[int]]:
    readers: list[list[int]] = [[] for _ in uses]
    for number, use in enumerate(uses):
        for source in use.sources:
            if source >= 0:
                readers[source].append(number)

    def number_of(colour: object) -> int:
        return numbers.setdefault(colour, len(numbers))

    found = [[number_of(tuple(bare(size) for size in use.sizes)) for use in uses]]
    for _ in range(ROUNDS):
        last = found[-1]
        found.append(
            [
                number_of(
                    (
                        last[number],
                        tuple(sorted(last[s] if s >= 0 else s for s in use.sources)),
                        tuple(sorted(last[r] for r in readers[number])),
                    )
                )
                for number, use in enumerate(uses)
            ]
        )
    return found
