"""Grid -> Routing: the way of every edge over the grid, at right angles, past all that is drawn.

An X is (column, 0) or (column, lane): lanes lie right of their column. A Y is (row, 0) or (row, level): levels lie below
their row. So both sort as they lie, and no lane or level has anything in it but edges. Four ways lead from u to v:
straight down; over a level to above v and down; down u's own column and sideways into v; down a lane beside v and
sideways into it. Edges with the same source or the same target may share a line, others never do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from resbench.report.channel import Wire, X, Y, lanes_of, levels_of
from resbench.report.grid import Grid


@dataclass(frozen=True, slots=True)
class Route:
    """From the middle of the source to the middle of the target."""

    source: int
    target: int
    points: tuple[tuple[X, Y], ...]


@dataclass(frozen=True, slots=True)
class Routing:
    """`lanes` by column, `levels` by row: how many there are."""

    routes: tuple[Route, ...]
    lanes: Mapping[int, int]
    levels: Mapping[int, int]


def route(grid: Grid) -> Routing:
    wires = _wires(grid)
    lane_of, lanes = lanes_of(grid, wires)
    level_of, levels = levels_of(grid, wires, lane_of)
    return Routing(tuple(_route(grid, wire, lane_of, level_of) for wire in wires), lanes, levels)


def _wires(grid: Grid) -> list[Wire]:
    wires: list[Wire] = []
    occupied = set(zip(grid.columns, grid.rows, strict=True))
    sideways: dict[int, list[tuple[int, int, int]]] = {}  # by row: from column to column, into which item
    for target, sources in enumerate(grid.reads):
        straight, above = grid.before[target], grid.entry(target)
        for source in sources:
            if source == straight:
                straight = None  # a second edge from the same item goes another way
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
    """Whether a line may go down the source's column and sideways into the target."""
    low, high = sorted((grid.columns[source], grid.columns[target]))
    return (
        grid.trunk[source]
        and low < high
        and not any((column, grid.rows[target]) in occupied for column in range(low + 1, high))
        and all(a >= high or b <= low or whose == target for a, b, whose in taken)
    )


def _route(grid: Grid, wire: Wire, lane_of: Mapping[tuple[int, int], X], level_of: Mapping[int, int]) -> Route:
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
