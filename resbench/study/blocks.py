"""Seeds -> blocks of seeds, each one cell."""

from __future__ import annotations

from itertools import pairwise


def blocks(seeds: tuple[int, ...], width: int) -> list[tuple[int, ...]]:
    """As few as the width allows, of as equal a size as can be: 5 seeds at a width of 4 are 3 and 2."""
    count = -(-len(seeds) // width)
    size, more = divmod(len(seeds), count) if count else (0, 0)
    ends = [size * i + min(i, more) for i in range(count + 1)]
    return [seeds[start:end] for start, end in pairwise(ends)]
