"""Wires -> the lanes between columns and the levels between rows in which they run without overlap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations
from typing import Literal

from resbench.drawing.layout.columns import Grid

X = tuple[int, int]
Y = tuple[int, int]
_Side = tuple[int, bool]  # of which column, and whether to its right
_ORDERED = 5  # sources in one row of which every order is tried


@dataclass(frozen=True, slots=True)
class Wire:
    """An edge and its route, see routes.py."""

    source: int
    target: int
    way: Literal["straight", "above", "trunk", "lane"]


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A part of a lane between two rows, and the item whose edges it carries."""

    top: int
    bottom: int
    sources: frozenset[int]

    def goes_with(self, other: _Stretch) -> bool:
        apart = self.bottom <= other.top or other.bottom <= self.top
        return apart or (self.sources == other.sources and len(self.sources) == 1)


@dataclass(frozen=True, slots=True)
class _Span:
    """The part of a level that a source needs: from `left` to `right`, coming down at `at` and going on down at each of
    `downs`.
    """

    at: X
    downs: tuple[X, ...]

    @property
    def left(self) -> X:
        return min(self.at, *self.downs)

    @property
    def right(self) -> X:
        return max(self.at, *self.downs)

    def meets(self, other: _Span) -> bool:
        return self.left <= other.right and other.left <= self.right

    def crossings_above(self, lower: _Span) -> int:
        """Return the number of crossings where this span is above the other."""
        through = sum(lower.left < x < lower.right for x in self.downs)
        return through + (self.left < lower.at < self.right)


def lanes_of(grid: Grid, wires: Sequence[Wire]) -> tuple[dict[tuple[int, int], X], dict[int, int]]:
    """Return the lane from a source into a target, and the number of lanes right of each column.

    Of the lanes between two columns, those into the left one are left of those into the right one.
    """
    groups: dict[_Side, dict[int, set[int]]] = {}  # target -> sources
    for wire in wires:
        if wire.way == "lane":
            column = grid.columns[wire.target]
            side = (column, grid.columns[wire.source] >= column)
            groups.setdefault(side, {}).setdefault(wire.target, set()).add(wire.source)
    number: dict[_Side, dict[int, int]] = {side: _numbered(grid, targets) for side, targets in groups.items()}
    width = {side: max(of.values()) for side, of in number.items()}
    lane_of: dict[tuple[int, int], X] = {}
    lanes: dict[int, int] = {}
    for (column, right), targets in groups.items():
        gutter = column if right else column - 1
        lanes[gutter] = lanes.get(gutter, 0) + width[column, right]
        for target, sources in targets.items():
            index = number[column, right][target]
            if not right:  # counted from the other end
                index = width.get((gutter, True), 0) + width[column, right] + 1 - index
            lane_of.update({(source, target): (gutter, index) for source in sources})
    return lane_of, lanes


def _numbered(grid: Grid, targets: Mapping[int, set[int]]) -> dict[int, int]:
    """Return the lane of each target from 1, the nearest to its column, on."""
    lanes: list[list[_Stretch]] = []
    number = {}
    for target in sorted(targets, key=lambda t: grid.rows[t]):
        top = min(grid.rows[source] for source in targets[target])
        stretch = _Stretch(top, grid.rows[target], frozenset(targets[target]))
        free = (i for i, lane in enumerate(lanes) if all(stretch.goes_with(other) for other in lane))
        index = next(free, len(lanes))
        lanes += [[]] if index == len(lanes) else []
        lanes[index].append(stretch)
        number[target] = index + 1
    return number


def levels_of(
    grid: Grid, wires: Sequence[Wire], lane_of: Mapping[tuple[int, int], X]
) -> tuple[dict[int, int], dict[int, int]]:
    """Return the level below its row that each source uses, so that few edges cross; with the number of levels of each
    row.
    """
    downs: dict[int, list[X]] = {}
    for wire in wires:
        if wire.way == "above":
            downs.setdefault(wire.source, []).append((grid.columns[wire.target], 0))
        elif wire.way == "lane":
            downs.setdefault(wire.source, []).append(lane_of[wire.source, wire.target])
    rows: dict[int, dict[int, _Span]] = {}
    for source, xs in downs.items():
        span = _Span((grid.columns[source], 0), tuple(xs))
        if span.left < span.right:
            rows.setdefault(grid.rows[source], {})[source] = span
    level_of: dict[int, int] = {}
    for spans in rows.values():
        order = _order(spans)
        for i, source in enumerate(order):
            met = (level_of[other] for other in order[:i] if spans[other].meets(spans[source]))
            level_of[source] = 1 + max(met, default=0)
    return level_of, {row: max(level_of[source] for source in spans) for row, spans in rows.items()}


def _order(spans: Mapping[int, _Span]) -> tuple[int, ...]:
    """Return the spans in order from top to bottom."""
    if len(spans) > _ORDERED:
        return tuple(spans)
    return min(
        permutations(spans),
        key=lambda order: sum(spans[a].crossings_above(spans[b]) for a, b in combinations(order, 2)),
    )
