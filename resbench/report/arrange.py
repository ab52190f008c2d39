"""ShownGraph -> Grid and Routing: the tracks in an order in which few edges cross and none goes far."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from resbench.report.channel import X, Y
from resbench.report.grid import Grid, levels, place
from resbench.report.route import Route, Routing, route
from resbench.report.shown import ShownGraph
from resbench.report.tracks import Reads, Track, reads_of, tracks_of

_TRIES = 300
_PAIRS = 2_000_000  # of edges that are looked at for crossings: large graphs get fewer tries
_Segment = tuple[tuple[X, Y], tuple[X, Y], int, int]


def arrange(graph: ShownGraph, *, one_a_row: bool = False) -> tuple[Grid, Routing]:
    """`one_a_row`: every op has a row for itself, in running order; else ops side by side share one."""
    reads = reads_of(graph)
    rows = tuple(range(len(reads))) if one_a_row else levels(reads)
    tracks = tracks_of(graph)
    found = _place(reads, rows, tracks)
    left = min(_TRIES, _PAIRS // (1 + len(found[1].routes) ** 2))
    cost, moves = _cost(*found), _moves(tracks)
    while left > 0 and (order := next(moves, None)) is not None:
        left -= 1
        other = _place(reads, rows, order)
        if (new := _cost(*other)) < cost:
            found, cost, moves = other, new, _moves(order)
    return found


def _place(reads: Reads, rows: tuple[int, ...], tracks: Sequence[Track]) -> tuple[Grid, Routing]:
    grid = place(reads, rows, tracks)
    return grid, route(grid)


def _moves(tracks: tuple[Track, ...]) -> Iterator[tuple[Track, ...]]:
    """The skip path stays; any other track to any other position."""
    for i in range(1, len(tracks)):
        rest = (*tracks[:i], *tracks[i + 1 :])
        yield from ((*rest[:j], tracks[i], *rest[j:]) for j in range(1, len(tracks)) if j != i)


def _cost(grid: Grid, routing: Routing) -> int:
    """A crossing is as bad as an edge longer by three columns."""
    segments = [segment for each in routing.routes for segment in _segments(each)]
    length = sum(2 * abs(b[0][0] - a[0][0]) + (a[0] != b[0]) for a, b, _, _ in segments)
    return 6 * _crossings(segments) + length + 2 * sum(routing.lanes.values()) + 2 * max(grid.columns)


def _segments(each: Route) -> list[_Segment]:
    return [(a, b, each.source, each.target) for a, b in pairwise(each.points)]


def _crossings(segments: Sequence[_Segment]) -> int:
    across = [(s, sorted((s[0][0], s[1][0]))) for s in segments if s[0][0] != s[1][0]]
    down = [s for s in segments if s[0][0] == s[1][0]]
    met = set()
    for (a, _, source, target), (left, right) in across:
        for top, bottom, other, end in down:
            if left < top[0] < right and top[1] < a[1] < bottom[1] and source != other and target != end:
                met.add((top[0], a[1], source, other))
    return len(met)
