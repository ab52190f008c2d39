"""AnnotatedView -> the unit in a terminal: one line for each op, with edges to its left as in `git log --graph` and
its cost to its right.

Each X of the plan is two characters wide, each row and level is a line; the lines of inner ops follow the op that
holds them, and edges continue through these. Where two unrelated edges cross, the vertical one stays unbroken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import reduce
from itertools import pairwise
from operator import or_
from textwrap import wrap

from resbench.drawing.annotated import AnnotatedView, ShownGraph
from resbench.drawing.format import count, cut, times
from resbench.drawing.layout.lanes import X, Y
from resbench.drawing.layout.routes import RoutePlan, plan

_ASCII = str.maketrans(
    {
        "│": "|", "─": "-", "├": "|", "┤": "|", "┬": ".", "┴": "'", "┼": "+", "╭": ".", "╮": ".", "╰": "'", "╯": "'",
        "╵": "|", "╷": "|", "╴": "-", "╶": "-", "●": "o", "×": "x", "‖": "&", "−": "-", "→": "->", "·": "-", "…": ".",
    }
)  # fmt: skip
_SMALLEST_LABEL = 8
UP, DOWN, LEFT, RIGHT = 1, 2, 4, 8
_STROKES = " ╵╷│╴╯╮┤╶╰╭├─┴┬┼"  # by the sum of the directions
_CROSSING = "│"
Cells = dict[tuple[int, int], set[int]]  # (line, position) -> the directions in which each edge leaves it


@dataclass(frozen=True, slots=True)
class _Row:
    drawn: str
    label: str = ""
    node: str = ""
    shape: str = ""
    params: str = ""
    macs: str = ""


def text(view: AnnotatedView, *, width: int = 100, ascii_only: bool = False) -> str:
    """Return lines of at most `width` characters, with a final line break."""
    say = _ascii if ascii_only else str
    head = [part for line in view.title for part in wrap(say(line), width)]
    rows = [_Row(*map(say, astuple(row))) for row in _rows(view.graph)]
    return "".join(f"{say(cut(line.rstrip(), width))}\n" for line in [*head, "", *_table(rows, width)])


def _ascii(words: str) -> str:
    return words.translate(_ASCII).encode("ascii", "replace").decode("ascii")


def _rows(graph: ShownGraph, *, inside: bool = False) -> list[_Row]:
    """Yield the rows; `inside` marks the graph of an op's inner ops, where x and y are the op's own."""
    found = plan(graph, one_a_row=True)
    last = len(graph.ops) + 1
    symbols = {0: "x", **{i: op.sign or "●" for i, op in enumerate(graph.ops, 1)}, last: "y"}
    held = {i: [row for _, inner in op.inner for row in _rows(inner, inside=True)] for i, op in enumerate(graph.ops, 1)}
    rows = []
    for (row, level), drawn in _lines(found, symbols, {i: len(of) for i, of in held.items()}).items():
        if level < 0:
            inner = held[row][-1 - level]
            label = f"  {inner.drawn}  {inner.label}".rstrip()
            rows.append(_Row(drawn, label, inner.node, inner.shape, inner.params, inner.macs))
        elif level > 0:
            rows.append(_Row(drawn))
        elif row in (0, last):
            shape = graph.output_shape if row else graph.input_shape
            rows.append(_Row(drawn, "" if inside else ("result" if row else "input"), "", times(shape)))
        else:
            op = graph.ops[row - 1]
            costs = (count(op.params) if op.params else "", count(op.macs) if op.macs else "")
            rows.append(_Row(drawn, f"{op.label} {op.operands}".rstrip(), op.node, times(op.shape), *costs))
    if inside:
        branching = found.levels.get(0, 0) > 0
        return rows[0 if branching else 1 : -1]
    return rows


def _table(rows: Sequence[_Row], width: int) -> list[str]:
    """Return as much as fits into the width: where it is narrow, node names are dropped first, then labels are cut."""
    drawn = max(len(row.drawn) for row in rows)
    label = max(len(row.label) for row in rows)
    node, shape = max(4, *(len(row.node) for row in rows)), max(5, *(len(row.shape) for row in rows))
    params, macs = max(6, *(len(row.params) for row in rows)), max(4, *(len(row.macs) for row in rows))
    needed = drawn + 2 + label + 2 + shape + 2 + params + 2 + macs
    with_node = needed + 2 + node <= width
    if not with_node:
        label = max(min(label, _SMALLEST_LABEL), label - max(0, needed - width))
    lines = []
    for row in (_Row("", "", "node", "shape", "params", "MACs"), *rows):
        cells = [row.drawn.ljust(drawn), cut(row.label, label).ljust(label)]
        cells += [row.node.ljust(node)] if with_node else []
        lines.append("  ".join((*cells, row.shape.ljust(shape), row.params.rjust(params), row.macs.rjust(macs))))
    return lines


def _lines(found: RoutePlan, symbols: Mapping[int, str], extra: Mapping[int, int]) -> dict[Y, str]:
    """Return a line for each Y; `extra` says how many more lines follow a row, whose Y are (row, -1), (row, -2), ..."""
    at = {x: i for i, x in enumerate(_xs(found))}
    order = _ys(found, extra)
    line = {y: i for i, y in enumerate(order)}
    cells: Cells = {}
    for each in found.routes:
        for a, b in pairwise(each.points):
            _draw(cells, (line[a[1]], at[a[0]]), (line[b[1]], at[b[0]]))
    shown: list[list[str]] = [[" "] * (2 * len(at) - 1) for _ in order]
    for (y, x), strokes in cells.items():
        shown[y][x] = _stroke(strokes)
    for item, symbol in symbols.items():
        shown[line[found.grid.rows[item], 0]][2 * at[found.grid.columns[item], 0]] = symbol
    return {y: "".join(shown[i]) for y, i in line.items()}


def _xs(found: RoutePlan) -> list[X]:
    columns = range(max(found.grid.columns) + 1)
    return [(column, lane) for column in columns for lane in range(found.lanes.get(column, 0) + 1)]


def _ys(found: RoutePlan, extra: Mapping[int, int]) -> list[Y]:
    ys: list[Y] = []
    for row in range(max(found.grid.rows) + 1):
        ys.append((row, 0))
        ys += [(row, -1 - i) for i in range(extra.get(row, 0))]
        ys += [(row, 1 + i) for i in range(found.levels.get(row, 0))]
    return ys


def _draw(cells: Cells, a: tuple[int, int], b: tuple[int, int]) -> None:
    """Draw a straight segment of an edge from (line, position) to (line, position)."""
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
