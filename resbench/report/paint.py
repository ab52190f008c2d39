"""Layout -> shapes: frames, then edges, then boxes with their words."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from resbench.report.box import LABEL_SIZE, ONE_LINE, PAD, RADIUS, SMALL_SIZE
from resbench.report.colours import COLOURS, EDGE, FRAME, FRAME_EDGE, INK, MUTED, PAPER, SKIP
from resbench.report.group import MARGIN, NAME_SIZE
from resbench.report.layout import Edge, Layout, Placed
from resbench.report.scene import Disc, Head, Line, Point, Rect, Shape, Words

_HEAD = 6.0


def paint(layout: Layout, left: float, top: float) -> Iterator[Shape]:
    """The layout with its left upper corner at (left, top)."""
    for frame in layout.frames:
        x, y = frame.left + left, frame.top + top
        yield Rect(x, y, frame.right - frame.left, frame.bottom - frame.top, 5, FRAME, FRAME_EDGE)
        yield Words(x + MARGIN, y + NAME_SIZE + 1, frame.name, NAME_SIZE, MUTED)
    skip = set(pairwise(layout.skip)) if layout.items[0].box.form == "pill" else set()
    for edge in sorted(layout.edges, key=lambda edge: (edge.source, edge.target) in skip):
        thick = (edge.source, edge.target) in skip and len(edge.points) == 2
        yield from _edge(edge, (left, top), thick, headless=layout.items[edge.target].box.form == "dot")
    for item in layout.items:
        yield from _item(item, item.left + left, item.top + top)


def _edge(edge: Edge, at: Point, thick: bool, *, headless: bool) -> Iterator[Shape]:
    points = tuple((x + at[0], y + at[1]) for x, y in edge.points)
    colour, width = (SKIP, 2.2) if thick else (EDGE, 1.4)
    if headless:
        yield Line(points, colour, width)
        return
    (x, y), (a, b) = points[-1], points[-2]
    along: Point = (x - a, y - b)
    length = abs(along[0]) + abs(along[1])
    unit = (along[0] / length, along[1] / length) if length else (0.0, 1.0)
    back = (x - unit[0] * _HEAD, y - unit[1] * _HEAD)
    aside = (-unit[1] * _HEAD * 0.55, unit[0] * _HEAD * 0.55)
    yield Line((*points[:-1], back), colour, width)
    yield Head(((x, y), (back[0] + aside[0], back[1] + aside[1]), (back[0] - aside[0], back[1] - aside[1])), colour)


def _item(item: Placed, x: float, y: float) -> Iterator[Shape]:
    box, colours = item.box, COLOURS[item.box.kind]
    title = " · ".join(part for part in (box.path, box.label, box.shape, box.cost) if part)
    if box.form == "dot":
        yield Disc(x + box.axis, y + box.middle, box.middle, INK, INK)
    elif box.form == "circle":
        yield Disc(x + box.axis, y + box.middle, RADIUS, colours.fill, colours.stroke, title)
        yield Words(x + box.axis, y + box.middle + 5.5, box.label, 16, INK, "middle")
        for i, line in enumerate(part for part in (box.shape, box.cost) if part):
            yield Words(x + box.side + 4, y + box.middle + 13 + 13 * i, line, SMALL_SIZE, MUTED)
    elif box.form == "pill":
        yield Rect(x, y, box.width, box.height, box.height / 2, PAPER, INK, title)
        yield Words(x + PAD + 3, y + ONE_LINE / 2 + 4.5, box.label, LABEL_SIZE, INK, bold=True)
        yield Words(x + box.width - PAD - 3, y + ONE_LINE / 2 + 4, box.shape, SMALL_SIZE, MUTED, "end")
    else:
        yield Rect(x, y, box.width, box.height, 4, colours.fill, colours.stroke, title)
        yield Words(x + PAD, y + 17, box.label, LABEL_SIZE, INK)
        yield Words(x + box.width - PAD, y + 17, box.shape, SMALL_SIZE, MUTED, "end")
        if box.cost:
            yield Words(x + PAD, y + 33, box.cost, SMALL_SIZE, MUTED)
        for inner, (across, down) in zip(item.held, box.inside, strict=True):
            yield Rect(
                x + across - PAD, y + down - 1, inner.width + 2 * PAD, inner.height + 2, 4, PAPER, colours.stroke
            )
            yield from paint(inner, x + across, y + down)
