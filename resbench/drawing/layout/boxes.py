"""ShownGraph -> Boxes and Groups: the drawn items for x, each op and y, with their texts, sizes and frames in pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from resbench.drawing.annotated import ShownGraph, ShownOp
from resbench.drawing.format import cost, cut, name_of, text_width, times
from resbench.drawing.labels import Kind
from resbench.drawing.layout.columns import Grid

LABEL_SIZE, SMALL_SIZE = 12.5, 10.5
PAD = 9.0
RADIUS = 12.0
DOT = 3.0
ONE_LINE, TWO_LINES = 25.0, 41.0
NAME_SIZE = 10.0  # of a group
MARGIN = 7.0  # around the boxes of a group
_BETWEEN = 16.0  # an op's label and its shape
_LONGEST, _LONGEST_OPERANDS, _LONGEST_NAME = 44, 30, 22
Form = Literal["box", "circle", "pill", "dot"]
Size = tuple[float, float, float]  # width, height, axis


@dataclass(frozen=True, slots=True)
class Box:
    """A box, measured from its left upper corner: edges enter at (axis, 0) or at the height `middle`, and leave at
    (axis, foot).

    `side` is its right border; the text of a circle is right of that. `inside` has the places of the pictures of its
    inner ops.
    """

    form: Form
    kind: Kind
    path: str
    label: str
    shape: str
    cost: str
    width: float
    height: float
    axis: float
    middle: float
    side: float
    foot: float
    inside: tuple[tuple[float, float], ...] = ()


def boxes_of(graph: ShownGraph, held: Mapping[int, Sequence[Size]], *, inside: bool) -> tuple[Box, ...]:
    """Return the boxes of x, the ops and y. `held` has the sizes of an op's inner pictures; `inside`: x and y are an
    op's own, and only points.
    """
    ops = [_circle(op) if op.sign else _box(op, held.get(i, ())) for i, op in enumerate(graph.ops, 1)]
    if inside:
        dot = Box("dot", "other", "", "", "", "", 2 * DOT, 2 * DOT, DOT, DOT, 2 * DOT, 2 * DOT)
        return (dot, *ops, dot)
    return (_pill("x", times(graph.input_shape)), *ops, _pill("y", times(graph.output_shape)))


def as_wide(box: Box, width: float) -> Box:
    """Return a plain box with the given width; its edges stay in its middle."""
    if box.form != "box" or box.inside or box.width >= width:
        return box
    return replace(box, width=width, axis=width / 2, side=width)


def _pill(name: str, shape: str) -> Box:
    width = text_width(name, LABEL_SIZE) + 8 + text_width(shape, SMALL_SIZE) + 2 * PAD + 6
    return Box("pill", "other", name, name, shape, "", width, ONE_LINE, width / 2, ONE_LINE / 2, width, ONE_LINE)


def _circle(op: ShownOp) -> Box:
    """Return a sign; below the edge from the right are its shape, and the joined nodes where the order matters."""
    lines = [times(op.shape), cut(op.operands, _LONGEST_OPERANDS)] if op.operands else [times(op.shape)]
    width = 2 * RADIUS + 4 + max(text_width(line, SMALL_SIZE) for line in lines)
    height = 2 * RADIUS + 13 * (len(lines) - 1)
    return Box(
        "circle", op.kind, op.path, op.sign, lines[0], lines[-1] if len(lines) > 1 else "",
        width, height, RADIUS, RADIUS, 2 * RADIUS, 2 * RADIUS,
    )  # fmt: skip


def _box(op: ShownOp, held: Sequence[Size]) -> Box:
    """Return a box with label and shape in one line, parameters and MACs in another, and the pictures of its inner ops below."""
    label, shape = cut(f"{op.label} {op.operands}".rstrip(), _LONGEST), times(op.shape)
    price = cost(op.params, op.macs)
    words = text_width(label, LABEL_SIZE) + _BETWEEN + text_width(shape, SMALL_SIZE)
    width = 2 * PAD + max(words, text_width(price, SMALL_SIZE))
    height = TWO_LINES if price else ONE_LINE
    if not held:
        return Box("box", op.kind, op.path, label, shape, price, width, height, width / 2, height / 2, width, height)
    middle = height / 2  # of its text: neighbours are aligned with it
    axis = max(max(size[2] for size in held) + 2 * PAD, width / 2)
    width = max(width, axis + max(size[0] - size[2] for size in held) + 2 * PAD)
    inside = []
    for size in held:
        inside.append((axis - size[2], height + 2))
        height += size[1] + 2
    height += PAD
    return Box("box", op.kind, op.path, label, shape, price, width, height, axis, middle, width, height, tuple(inside))


@dataclass(frozen=True, slots=True)
class Group:
    """A group of boxes; its frame reaches `left` and `right` from the axis of its items."""

    name: str
    items: tuple[int, ...]
    left: float
    right: float


def groups_of(graph: ShownGraph, grid: Grid, boxes: Sequence[Box]) -> tuple[Group, ...]:
    groups: list[list[int]] = []
    of: dict[int, list[int]] = {}
    for item, op in enumerate(graph.ops, 1):
        above = grid.before[item]
        if not op.node:
            continue
        if above and above in of and graph.ops[above - 1].node == op.node and grid.rows[above] == grid.rows[item] - 1:
            of[item] = of[above]
        else:
            groups.append(of.setdefault(item, []))
        of[item].append(item)
    return tuple(_group(graph.ops[items[0] - 1].node, items, boxes) for items in groups)


def _group(node: str, items: list[int], boxes: Sequence[Box]) -> Group:
    name = cut(name_of(node), _LONGEST_NAME)
    left = max(text_width(name, NAME_SIZE) + 8, *(boxes[i].axis for i in items)) + MARGIN
    return Group(name, tuple(items), left, max(boxes[i].width - boxes[i].axis for i in items) + MARGIN)
