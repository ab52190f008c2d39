"""ShownGraph, Grid -> Groups: runs of ops that stand below each other and belong to one node of the unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from resbench.report.box import Box
from resbench.report.font import text_width
from resbench.report.grid import Grid
from resbench.report.shown import ShownGraph
from resbench.report.words import cut, name_of

NAME_SIZE = 10.0
MARGIN = 7.0  # around the boxes of a group
_LONGEST = 22


@dataclass(frozen=True, slots=True)
class Group:
    """`left` and `right`: how far its frame reaches from the axis of its items."""

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
    name = cut(name_of(node), _LONGEST)
    left = max(text_width(name, NAME_SIZE) + 8, *(boxes[i].axis for i in items)) + MARGIN
    return Group(name, tuple(items), left, max(boxes[i].width - boxes[i].axis for i in items) + MARGIN)
