"""ShownGraph -> Grid: the row and column of every item, with the skip path straight down column 0.

The drawn items are 0 (x), 1 to n (the ops) and n + 1 (y). Tracks are paths of items, each of which is drawn as one
straight line. The first is the skip path: the path from x to y with the fewest weight layers, then the fewest
non-linear ops, then the fewest ops and parameters; the rest is cut into paths by the same measure. A track has its
column to itself from the row below its first source to the last row that reads its end, so that a line may go straight
down in it; tracks that do not overlap may share a column.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from resbench.drawing.annotated import ShownGraph, ShownOp

Track = tuple[int, ...]
Reads = tuple[tuple[int, ...], ...]
_Cost = tuple[int, int, int, int, int]  # weight layers, non-linear ops, ops, ops that join, parameters
_NOTHING: _Cost = (0, 0, 0, 0, 0)
_NEVER: _Cost = (10**9, 0, 0, 0, 0)  # a path that leads nowhere


def reads_of(graph: ShownGraph) -> Reads:
    """Return the items that each item reads."""
    return ((), *(op.inputs for op in graph.ops), (graph.output,))


def tracks_of(graph: ShownGraph) -> tuple[Track, ...]:
    """Return the tracks; every item is in one track, and everything that the first item of a track reads is in earlier tracks."""
    reads = reads_of(graph)
    last = len(reads) - 1
    readers: list[list[int]] = [[] for _ in reads]
    for item, sources in enumerate(reads):
        for source in dict.fromkeys(sources):
            readers[source].append(item)
    costs = [_NOTHING, *map(_cost, graph.ops)]
    covered: set[int] = {last}
    tracks: list[Track] = []
    while len(covered) < len(reads):
        best = _best(costs, readers, covered)
        start = min((i for i in best if all(source in covered for source in reads[i])), key=lambda i: (best[i], i))
        track = [start]
        while not (ends := [i for i in readers[track[-1]] if i in covered]) and readers[track[-1]]:
            track.append(min(readers[track[-1]], key=lambda i: (best[i], i)))
        covered.update(track)
        tracks.append((*track, last) if not tracks and ends else tuple(track))
    return tuple(tracks)


def _best(costs: list[_Cost], readers: list[list[int]], covered: set[int]) -> Mapping[int, _Cost]:
    """Return, for each item without a track, the cost of the cheapest path from it to one with a track."""
    best: dict[int, _Cost] = {}
    for item in range(len(costs) - 1, -1, -1):
        if item in covered:
            continue
        ways = [_NOTHING if reader in covered else best[reader] for reader in readers[item]]
        best[item] = _plus(costs[item], min(ways, default=_NEVER))
    return best


def _cost(op: ShownOp) -> _Cost:
    return _weights(op), _bends(op), 1, len(op.inputs) > 1, op.params


def _weights(op: ShownOp) -> int:
    inside = sum(_weights(inner) for _, graph in op.inner for inner in graph.ops)
    return inside or int(op.kind == "weights")


def _bends(op: ShownOp) -> int:
    inside = sum(_bends(inner) for _, graph in op.inner for inner in graph.ops)
    return inside or int(op.bends)


def _plus(a: _Cost, b: _Cost) -> _Cost:
    return a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3], a[4] + b[4]


@dataclass(frozen=True, slots=True)
class Grid:
    """The rows and columns of a drawing. `rows` and `columns` by item; `before`: the item above it in its track;
    `trunk`: whether it ends its track.
    """

    reads: Reads
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    before: tuple[int | None, ...]
    trunk: tuple[bool, ...]

    def entry(self, item: int) -> int | None:
        """Return the source that the first item of a track reads from straight above: the lowest one."""
        if self.before[item] is not None or not self.reads[item]:
            return None
        return max(self.reads[item], key=lambda source: self.rows[source])


def rows_of(reads: Reads) -> tuple[int, ...]:
    """Return the row of every item, as far up as its sources allow: the length of the longest path to it."""
    rows: list[int] = []
    for sources in reads:
        rows.append(1 + max((rows[source] for source in sources), default=-1))
    return tuple(rows)


def place(reads: Reads, rows: tuple[int, ...], tracks: Sequence[Track]) -> Grid:
    """Return the columns of the tracks, in the order given, each in the leftmost column where it has room."""
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
