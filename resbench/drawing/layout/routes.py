"""ShownGraph -> RoutePlan: the positions of all items, and a right-angled route for every edge past them.

An X is (column, 0) or (column, lane): lanes are right of their column. A Y is (row, 0) or (row, level): levels are
below their row. Both therefore sort by position, and lanes and levels hold only edges. There are four routes from u to
v: straight down; over a level to above v and down; down u's own column and sideways into v; down a lane beside v and
sideways into it. Edges with the same source or the same target may share a line, others never do. The order of the
tracks keeps crossings few and edges short.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from resbench.drawing.annotated import ShownGraph
from resbench.drawing.layout.columns import Grid, Track, place, reads_of, rows_of, tracks_of
from resbench.drawing.layout.lanes import Wire, X, Y, lanes_of, levels_of

_TRIES = 300
_PAIRS = 2_000_000  # limit of edge comparisons for crossings: large graphs get fewer tries
_Segment = tuple[tuple[X, Y], tuple[X, Y], int, int]


@dataclass(frozen=True, slots=True)
class Route:
    """A route from the middle of the source to the middle of the target."""

    source: int
    target: int
    points: tuple[tuple[X, Y], ...]


@dataclass(frozen=True, slots=True)
class RoutePlan:
    """A plan of routes; `lanes` by column and `levels` by row are their numbers."""

    grid: Grid
    routes: tuple[Route, ...]
    lanes: Mapping[int, int]
    levels: Mapping[int, int]


def plan(graph: ShownGraph, *, one_a_row: bool = False) -> RoutePlan:
    """Plan positions and routes; with `one_a_row` every op has its own row, in running order; else parallel ops share one."""
    reads = reads_of(graph)
    rows = tuple(range(len(reads))) if one_a_row else rows_of(reads)
    tracks = tracks_of(graph)
    found = _route(place(reads, rows, tracks))
    left = min(_TRIES, _PAIRS // (1 + len(found.routes) ** 2))
    cost, moves = _cost(found), _moves(tracks)
    while left > 0 and (order := next(moves, None)) is not None:
        left -= 1
        other = _route(place(reads, rows, order))
        if (new := _cost(other)) < cost:
            found, cost, moves = other, new, _moves(order)
    return found


def _route(grid: Grid) -> RoutePlan:
    wires = _wires(grid)
    lane_of, lanes = lanes_of(grid, wires)
    level_of, levels = levels_of(grid, wires, lane_of)
    return RoutePlan(grid, tuple(_way(grid, wire, lane_of, level_of) for wire in wires), lanes, levels)


def _wires(grid: Grid) -> list[Wire]:
    wires: list[Wire] = []
    occupied = set(zip(grid.columns, grid.rows, strict=True))
    sideways: dict[int, list[tuple[int, int, int]]] = {}  # by row: from column to column, into which item
    for target, sources in enumerate(grid.reads):
        straight, above = grid.before[target], grid.entry(target)
        for source in sources:
            if source == straight:
                straight = None  # a second edge from the same item takes another route
                wires.append(Wire(source, target, "straight"))
            elif source == above:
                above = None
                wires.append(Wire(source, target, "above"))
            else:
                taken = sideways.setdefault(grid.rows[target], [])
                free = _free(grid, source, target, occupied, taken)
                if free:
                    low, high = sorted((grid.columns[source], grid.columns[target]))
                    taken.append((low, high, target))
                wires.append(Wire(source, target, "trunk" if free else "lane"))
    return wires


def _free(
    grid: Grid, source: int, target: int, occupied: set[tuple[int, int]], taken: list[tuple[int, int, int]]
) -> bool:
    """Return whether a line may go down the source's column and sideways into the target."""
    low, high = sorted((grid.columns[source], grid.columns[target]))
    return (
        grid.trunk[source]
        and low < high
        and not any((column, grid.rows[target]) in occupied for column in range(low + 1, high))
        and all(a >= high or b <= low or whose == target for a, b, whose in taken)
    )


def _way(grid: Grid, wire: Wire, lane_of: Mapping[tuple[int, int], X], level_of: Mapping[int, int]) -> Route:
    a, b = (((grid.columns[item], 0), (grid.rows[item], 0)) for item in (wire.source, wire.target))
    if wire.way == "straight" or (wire.way == "above" and a[0] == b[0]):
        points = [a, b]
    elif wire.way == "trunk":
        points = [a, (a[0], b[1]), b]
    else:
        level = (grid.rows[wire.source], level_of[wire.source])
        x = b[0] if wire.way == "above" else lane_of[wire.source, wire.target]
        points = [a, (a[0], level), (x, level), *([(x, b[1])] if wire.way == "lane" else []), b]
    return Route(wire.source, wire.target, tuple(points))


def _moves(tracks: tuple[Track, ...]) -> Iterator[tuple[Track, ...]]:
    """Yield the moves of a track to another position; the skip path stays."""
    for i in range(1, len(tracks)):
        rest = (*tracks[:i], *tracks[i + 1 :])
        yield from ((*rest[:j], tracks[i], *rest[j:]) for j in range(1, len(tracks)) if j != i)


def _cost(found: RoutePlan) -> int:
    """Return the cost: a crossing costs as much as three columns of edge length."""
    segments = [segment for each in found.routes for segment in _segments(each)]
    length = sum(2 * abs(b[0][0] - a[0][0]) + (a[0] != b[0]) for a, b, _, _ in segments)
    return 6 * _crossings(segments) + length + 2 * sum(found.lanes.values()) + 2 * max(found.grid.columns)


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
