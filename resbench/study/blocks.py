"""Seeds -> blocks of seeds, each one network: a seed has the same place in the same block, whichever others are wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Block:
    """`seeds`: all that are trained as one network, in their places; `wanted`: those of them whose runs are saved.

    The others fill their places: the last bits of a run depend on the number of seeds beside it and on its place among them.
    """

    seeds: tuple[int, ...]
    wanted: tuple[int, ...]


def blocks(seeds: Sequence[int], width: int) -> list[Block]:
    """In the order of their first wanted seeds.

    >>> [block.seeds for block in blocks((0, 1, 2, 7), 5)]
    [(0, 1, 2, 3, 4), (5, 6, 7, 8, 9)]
    """
    wanted: dict[tuple[int, ...], list[int]] = {}
    for seed in seeds:
        wanted.setdefault(_places(seed, width), []).append(seed)
    return [Block(places, tuple(some)) for places, some in wanted.items()]


def _places(seed: int, width: int) -> tuple[int, ...]:
    first = seed - seed % width
    return tuple(range(first, first + width))
