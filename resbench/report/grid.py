"""Tracks and rows -> Grid: which column each track stands in.

A track has its column for itself from the row below what it reads first down to the last row that reads its end, so that
a line may go straight down in it; tracks that do not meet may share a column. Column 0 is the skip path's alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from resbench.report.tracks import Reads, Track


@dataclass(frozen=True, slots=True)
class Grid:
    """`rows` and `columns` by item; `before`: the item above it in its track; `trunk`: whether it ends its track."""

    reads: Reads
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    before: tuple[int | None, ...]
    trunk: tuple[bool, ...]

    def entry(self, item: int) -> int | None:
        """What the first item of a track reads from straight above: the lowest of its sources."""
        if self.before[item] is not None or not self.reads[item]:
            return None
        return max(self.reads[item], key=lambda source: self.rows[source])


def levels(reads: Reads) -> tuple[int, ...]:
    """Every item below all that it reads, as far up as that allows: its row is the length of the longest path to it."""
    rows: list[int] = []
    for sources in reads:
        rows.append(1 + max((rows[source] for source in sources), default=-1))
    return tuple(rows)


def place(reads: Reads, rows: tuple[int, ...], tracks: Sequence[Track]) -> Grid:
    """Tracks in the order given, each in the leftmost column where it has room."""
    columns, taken = [0] * len(reads), [[(0, len(reads))]]
    ends = [0] * len(reads)
    for item, sources in enumerate(reads):
        for source in sources:
            ends[source] = max(ends[source], rows[item])
    before: list[int | None] = [None] * len(reads)
    for track in tracks:
        for above, item in pairwise(track):
            before[item] = above
    for track in tracks[1:]:
        first, last = track[0], track[-1]
        span = (1 + max((rows[source] for source in reads[first]), default=-1), max(rows[last], ends[last]))
        column = next((c for c, spans in enumerate(taken) if all(_apart(span, other) for other in spans)), len(taken))
        if column == len(taken):
            taken.append([])
        taken[column].append(span)
        for item in track:
            columns[item] = column
    lasts = {track[-1] for track in tracks}
    return Grid(reads, rows, tuple(columns), tuple(before), tuple(item in lasts for item in range(len(reads))))


def _apart(a: tuple[int, int], b: tuple[int, int]) -> bool:
    return a[1] < b[0] or b[1] < a[0]
