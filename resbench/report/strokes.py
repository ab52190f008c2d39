"""Routing -> lines of characters: edges drawn with box-drawing strokes, a symbol at every item.

Each X of the grid is two characters, each row and level a line; a row may be followed by more lines through which the
edges go on. Where two edges cross that do not belong together, the one that goes down stays whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from itertools import pairwise
from operator import or_

from resbench.report.channel import X, Y
from resbench.report.grid import Grid
from resbench.report.route import Routing

UP, DOWN, LEFT, RIGHT = 1, 2, 4, 8
_STROKES = " ╵╷│╴╯╮┤╶╰╭├─┴┬┼"  # by the sum of the directions
_CROSSING = "│"
Cells = dict[tuple[int, int], set[int]]  # (line, position) -> the directions in which each edge leaves it


def lines_of(grid: Grid, routing: Routing, symbols: Mapping[int, str], extra: Mapping[int, int]) -> dict[Y, str]:
    """A line for each Y; `extra` says how many more lines follow a row, whose Y are (row, -1), (row, -2), ..."""
    at = {x: i for i, x in enumerate(sorted(_xs(grid, routing)))}
    order = _ys(grid, routing, extra)
    line = {y: i for i, y in enumerate(order)}
    cells: Cells = {}
    for each in routing.routes:
        for a, b in pairwise(each.points):
            _draw(cells, (line[a[1]], at[a[0]]), (line[b[1]], at[b[0]]))
    shown: list[list[str]] = [[" "] * (2 * len(at) - 1) for _ in order]
    for (y, x), strokes in cells.items():
        shown[y][x] = _stroke(strokes)
    for item, symbol in symbols.items():
        shown[line[grid.rows[item], 0]][2 * at[grid.columns[item], 0]] = symbol
    return {y: "".join(shown[i]) for y, i in line.items()}


def _xs(grid: Grid, routing: Routing) -> list[X]:
    columns = range(max(grid.columns) + 1)
    return [(column, lane) for column in columns for lane in range(routing.lanes.get(column, 0) + 1)]


def _ys(grid: Grid, routing: Routing, extra: Mapping[int, int]) -> list[Y]:
    found: list[Y] = []
    for row in range(max(grid.rows) + 1):
        found.append((row, 0))
        found += [(row, -1 - i) for i in range(extra.get(row, 0))]
        found += [(row, 1 + i) for i in range(routing.levels.get(row, 0))]
    return found


def _draw(cells: Cells, a: tuple[int, int], b: tuple[int, int]) -> None:
    """A straight piece of an edge from (line, place) to (line, place)."""
    if a[1] == b[1]:
        for y in range(a[0], b[0] + 1):
            way = (UP if y > a[0] else 0) | (DOWN if y < b[0] else 0)
            cells.setdefault((y, 2 * a[1]), set()).add(way)
    else:
        left, right = sorted((2 * a[1], 2 * b[1]))
        for x in range(left, right + 1):
            way = (LEFT if x > left else 0) | (RIGHT if x < right else 0)
            cells.setdefault((a[0], x), set()).add(way)


def _stroke(ways: set[int]) -> str:
    if ways == {UP | DOWN, LEFT | RIGHT}:  # none ends or turns here
        return _CROSSING
    return _STROKES[reduce(or_, ways)]
