"""ShownGraph -> Layout: boxes, edges and frames with coordinates in pixels, top to bottom, the skip path straight down.

Rows and columns are those of the grid, as wide and high as their items; between them is room for the edges.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from resbench.drawing.annotated import ShownGraph
from resbench.drawing.layout.boxes import Box, Group, as_wide, boxes_of, groups_of
from resbench.drawing.layout.columns import Grid
from resbench.drawing.layout.lanes import X, Y
from resbench.drawing.layout.routes import Route, RoutePlan, plan

LANE = 12.0
GUTTER = 30.0  # between columns without lanes
GAP = 18.0  # between rows without levels
LABEL = 15.0  # above a row in which a group begins: room for its name


@dataclass(frozen=True, slots=True)
class PlacedBox:
    """A box whose left upper corner is at (left, top); `held` has the inner pictures, from their own (0, 0)."""

    box: Box
    left: float
    top: float
    held: tuple[Layout, ...] = ()

    @property
    def axis(self) -> float:
        """Return the x at which edges enter from above and leave below."""
        return self.left + self.box.axis

    @property
    def right(self) -> float:
        return self.left + self.box.width

    @property
    def bottom(self) -> float:
        return self.top + self.box.height


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge from the border of one item to that of another."""

    source: int
    target: int
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class PlacedGroup:
    """The frame behind the ops of one node."""

    name: str
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Layout:
    """The layout of a unit. `items`: x, the ops, y. `axis`: the x coordinate of the skip path; `skip`: its items, none
    where there is only one path.
    """

    width: float
    height: float
    axis: float
    skip: tuple[int, ...]
    items: tuple[PlacedBox, ...]
    edges: tuple[Edge, ...]
    frames: tuple[PlacedGroup, ...]


def lay_out(graph: ShownGraph, *, inside: bool = False) -> Layout:
    """Lay out a graph; `inside` marks an op's inner graph, where x and y are only points."""
    found = plan(graph)
    grid = found.grid
    held = {i: tuple(lay_out(inner, inside=True) for _, inner in op.inner) for i, op in enumerate(graph.ops, 1)}
    sizes = {i: [(each.width, each.height, each.axis) for each in of] for i, of in held.items()}
    boxes = _in_columns(grid, boxes_of(graph, sizes, inside=inside))
    groups = groups_of(graph, grid, boxes)
    xs = _columns(found, boxes, groups)
    ys, height = _rows(found, boxes, groups)
    items = tuple(
        PlacedBox(box, xs[grid.columns[i], 0] - box.axis, ys[grid.rows[i], 0] - box.middle, held.get(i, ()))
        for i, box in enumerate(boxes)
    )
    items = _closed_up(found, groups, items)
    edges = tuple(_edge(each, items, xs, ys) for each in found.routes)
    frames = tuple(_frame(group, items) for group in groups)
    right = max([*(item.right for item in items), *(f.right for f in frames), *xs.values()])
    skip = tuple(i for i, column in enumerate(grid.columns) if column == 0) if any(grid.columns) else ()
    return Layout(right, height, xs[0, 0], skip, items, edges, frames)


def _in_columns(grid: Grid, boxes: Sequence[Box]) -> tuple[Box, ...]:
    """Return the plain boxes of a column as wide as the widest of them."""
    widest: dict[int, float] = {}
    for column, box in zip(grid.columns, boxes, strict=True):
        if box.form == "box" and not box.inside:
            widest[column] = max(widest.get(column, 0.0), box.width)
    return tuple(as_wide(box, widest.get(column, 0.0)) for column, box in zip(grid.columns, boxes, strict=True))


def _columns(found: RoutePlan, boxes: Sequence[Box], groups: Sequence[Group]) -> dict[X, float]:
    grid = found.grid
    count = max(grid.columns) + 1
    left, right = [0.0] * count, [0.0] * count
    for i, box in enumerate(boxes):
        column = grid.columns[i]
        left[column] = max(left[column], box.axis)
        right[column] = max(right[column], box.width - box.axis)
    for group in groups:
        column = grid.columns[group.items[0]]
        left[column] = max(left[column], group.left)
        right[column] = max(right[column], group.right)
    xs: dict[X, float] = {}
    x = 0.0
    for column in range(count):
        lanes = found.lanes.get(column, 0)
        xs[column, 0] = x + left[column]
        x += left[column] + right[column]
        for lane in range(1, lanes + 1):
            xs[column, lane] = x + GUTTER / 2 + (lane - 1) * LANE
        x += GUTTER + max(0, lanes - 1) * LANE
    return xs


def _rows(found: RoutePlan, boxes: Sequence[Box], groups: Sequence[Group]) -> tuple[dict[Y, float], float]:
    grid = found.grid
    count = max(grid.rows) + 1
    above, below = [0.0] * count, [0.0] * count
    for i, box in enumerate(boxes):
        row = grid.rows[i]
        above[row] = max(above[row], box.middle)
        below[row] = max(below[row], box.height - box.middle)
    named = {grid.rows[group.items[0]] for group in groups}
    ys: dict[Y, float] = {}
    y = 0.0
    for row in range(count):
        ys[row, 0] = y + above[row]
        y += above[row] + below[row]
        count_of_levels = found.levels.get(row, 0)
        for level in range(1, count_of_levels + 1):
            ys[row, level] = y + GAP / 2 + 2 + (level - 1) * LANE
        if row + 1 < count:
            y += GAP + max(0, count_of_levels - 1) * LANE + (LABEL if row + 1 in named else 0)
    return ys, y


def _closed_up(found: RoutePlan, groups: Sequence[Group], items: Sequence[PlacedBox]) -> tuple[PlacedBox, ...]:
    """Move the ops of a group closer together where other ops make their rows high and no edge is in the way."""
    grid, placed = found.grid, list(items)
    across = [(*sorted((a[0], b[0])), a[1]) for each in found.routes for a, b in pairwise(each.points) if a[1] == b[1]]
    for above, i in (pair for group in groups for pair in pairwise(group.items)):
        column, low, high = (grid.columns[i], 0), (grid.rows[above], 0), (grid.rows[i], 0)
        if not any(left <= column <= right and low < y <= high for left, right, y in across):
            placed[i] = replace(placed[i], top=placed[above].bottom + GAP)
    return tuple(placed)


def _edge(each: Route, items: Sequence[PlacedBox], xs: Mapping[X, float], ys: Mapping[Y, float]) -> Edge:
    source, target = items[each.source], items[each.target]
    points = [(xs[x], ys[y]) for x, y in each.points]
    before, end = points[-2], points[-1]
    if before[0] == end[0]:
        end = (end[0], target.top)
    else:
        end = (target.left if before[0] < end[0] else target.left + target.box.side, end[1])
    points = [(points[0][0], source.top + source.box.foot), *points[1:-1], end]
    return Edge(each.source, each.target, tuple(points))


def _frame(group: Group, items: Sequence[PlacedBox]) -> PlacedGroup:
    first, last = items[group.items[0]], items[group.items[-1]]
    return PlacedGroup(
        group.name, first.axis - group.left, first.top - LABEL, first.axis + group.right, last.bottom + 5
    )
