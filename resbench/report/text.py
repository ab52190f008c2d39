"""View -> the unit in a terminal: a line an op, edges to its left as `git log --graph` draws them, its cost to its right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from textwrap import wrap

from resbench.report.arrange import arrange
from resbench.report.caption import title
from resbench.report.shown import ShownGraph, View
from resbench.report.strokes import lines_of
from resbench.report.words import count, cut, times

_ASCII = str.maketrans(
    {
        "│": "|", "─": "-", "├": "|", "┤": "|", "┬": ".", "┴": "'", "┼": "+", "╭": ".", "╮": ".", "╰": "'", "╯": "'",
        "╵": "|", "╷": "|", "╴": "-", "╶": "-", "●": "o", "×": "x", "‖": "&", "−": "-", "→": "->", "·": "-", "…": ".",
    }
)  # fmt: skip
_SMALLEST_LABEL = 8


@dataclass(frozen=True, slots=True)
class _Row:
    drawn: str
    label: str = ""
    node: str = ""
    shape: str = ""
    params: str = ""
    macs: str = ""


def text(view: View, *, width: int = 100, ascii_only: bool = False) -> str:
    """Lines of at most `width` characters, and a line break at the end."""
    say = _ascii if ascii_only else str
    head = [part for line in title(view) for part in wrap(say(line), width)]
    rows = [_Row(*map(say, astuple(row))) for row in _rows(view.graph)]
    return "".join(f"{say(cut(line.rstrip(), width))}\n" for line in [*head, "", *_table(rows, width)])


def _ascii(words: str) -> str:
    return words.translate(_ASCII).encode("ascii", "replace").decode("ascii")


def _rows(graph: ShownGraph, *, inside: bool = False) -> list[_Row]:
    """`inside`: of the ops that an op holds; x and y are then the op's own."""
    grid, routing = arrange(graph, one_a_row=True)
    last = len(graph.ops) + 1
    symbols = {0: "x", **{i: op.sign or "●" for i, op in enumerate(graph.ops, 1)}, last: "y"}
    held = {i: [row for _, inner in op.inner for row in _rows(inner, inside=True)] for i, op in enumerate(graph.ops, 1)}
    rows = []
    for (row, level), drawn in lines_of(grid, routing, symbols, {i: len(of) for i, of in held.items()}).items():
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
        branching = routing.levels.get(0, 0) > 0
        return rows[0 if branching else 1 : -1]
    return rows


def _table(rows: Sequence[_Row], width: int) -> list[str]:
    """As much as goes into the width: where it is narrow, node names go first, then labels are cut."""
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
