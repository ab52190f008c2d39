"""Views -> Scene: a card with the unit's name, a panel for each place with its layout side by side, and a legend."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from resbench.drawing.annotated import AnnotatedView, ShownGraph
from resbench.drawing.format import text_width
from resbench.drawing.labels import Kind
from resbench.drawing.layout.boxes import LABEL_SIZE, MARGIN, NAME_SIZE, ONE_LINE, PAD, RADIUS, SMALL_SIZE
from resbench.drawing.layout.layout import Edge, Layout, PlacedBox, lay_out
from resbench.drawing.scene import (
    CARD_EDGE,
    COLOURS,
    EDGE,
    FRAME,
    FRAME_EDGE,
    INK,
    MUTED,
    PAPER,
    SKIP,
    Disc,
    Head,
    Line,
    Point,
    Rect,
    Scene,
    Shape,
    TextRun,
)  # fmt: skip

_MARGIN, _BETWEEN = 22.0, 44.0
_TITLE, _WORDS, _SMALL = 17.0, 12.0, 10.5
_LINE = 17.0
_NARROWEST = 420.0
_HEAD = 6.0


def card(views: Sequence[AnnotatedView]) -> Scene:
    """Return the scene for the views of one unit."""
    layouts = [lay_out(view.graph) for view in views]
    heads = [[view.where, *view.costs] for view in views]
    widths = [
        max(layout.width, *(text_width(line, _WORDS) for line in head))
        for layout, head in zip(layouts, heads, strict=True)
    ]
    width = max(_NARROWEST, sum(widths) + _BETWEEN * (len(views) - 1))
    shapes: list[Shape] = []
    y = _MARGIN + _TITLE
    shapes.append(TextRun(_MARGIN, y, views[0].name, _TITLE, INK, bold=True))
    for line in _wrapped(views[0].about, width):
        y += _LINE
        shapes.append(TextRun(_MARGIN, y, line, _WORDS, MUTED))
    y += 12
    x, lowest = _MARGIN, y
    for layout, head, panel in zip(layouts, heads, widths, strict=True):
        below = y
        for i, line in enumerate(head):
            below += _LINE
            shapes.append(TextRun(x, below, line, _WORDS, MUTED if i else INK))
        shapes += _paint(layout, x + _indent(layout, panel), below + 16)
        lowest = max(lowest, below + 16 + layout.height)
        x += panel + _BETWEEN
    legend, bottom = _legend(views, layouts, width, lowest + 22)
    paper = Rect(0.5, 0.5, width + 2 * _MARGIN - 1, bottom + _MARGIN - 7, 8, PAPER, CARD_EDGE)
    title = f"{views[0].name}: {', '.join(view.where for view in views)}"
    return Scene(width + 2 * _MARGIN, bottom + _MARGIN - 6, title, (paper, *shapes, *legend))


def _indent(layout: Layout, panel: float) -> float:
    return max(0.0, (panel - layout.width) / 2)


def _wrapped(text: str, width: float) -> Iterator[str]:
    """Yield lines of at most the given width."""
    line = ""
    for word in text.split():
        longer = f"{line} {word}".lstrip()
        if line and text_width(longer, _WORDS) > width:
            yield line
            line = word
        else:
            line = longer
    if line:
        yield line


def _legend(
    views: Sequence[AnnotatedView], layouts: Sequence[Layout], width: float, y: float
) -> tuple[list[Shape], float]:
    """Return the legend, with the colours that occur and the meaning of the small texts, and the y of its last line."""
    kinds = {kind for view in views for kind in _kinds(view.graph)}
    shapes: list[Shape] = []
    x = _MARGIN
    for kind, colours in COLOURS.items():
        if kind not in kinds:
            continue
        needed = 15 + text_width(colours.name, _SMALL)
        if x > _MARGIN and x + needed > _MARGIN + width:
            x, y = _MARGIN, y + 16
        shapes.append(Rect(x, y - 9, 10, 10, 2 if kind != "merge" else 5, colours.fill, colours.stroke))
        shapes.append(TextRun(x + 15, y, colours.name, _SMALL, MUTED))
        x += needed + 16
    explanation = "Shapes are channels × height × width; MACs are for one image."
    if any(layout.skip for layout in layouts):
        explanation += " The thick line is the skip path."
    for line in _wrapped(explanation, width):
        y += 16
        shapes.append(TextRun(_MARGIN, y, line, _SMALL, MUTED))
    return shapes, y


def _kinds(graph: ShownGraph) -> set[Kind]:
    return {op.kind for op in graph.ops} | {kind for op in graph.ops for _, inner in op.inner for kind in _kinds(inner)}


def _paint(layout: Layout, left: float, top: float) -> Iterator[Shape]:
    """Yield the layout with its left upper corner at (left, top)."""
    for frame in layout.frames:
        x, y = frame.left + left, frame.top + top
        yield Rect(x, y, frame.right - frame.left, frame.bottom - frame.top, 5, FRAME, FRAME_EDGE)
        yield TextRun(x + MARGIN, y + NAME_SIZE + 1, frame.name, NAME_SIZE, MUTED)
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


def _item(item: PlacedBox, x: float, y: float) -> Iterator[Shape]:
    box, colours = item.box, COLOURS[item.box.kind]
    title = " · ".join(part for part in (box.path, box.label, box.shape, box.cost) if part)
    if box.form == "dot":
        yield Disc(x + box.axis, y + box.middle, box.middle, INK, INK)
    elif box.form == "circle":
        yield Disc(x + box.axis, y + box.middle, RADIUS, colours.fill, colours.stroke, title)
        yield TextRun(x + box.axis, y + box.middle + 5.5, box.label, 16, INK, "middle")
        for i, line in enumerate(part for part in (box.shape, box.cost) if part):
            yield TextRun(x + box.side + 4, y + box.middle + 13 + 13 * i, line, SMALL_SIZE, MUTED)
    elif box.form == "pill":
        yield Rect(x, y, box.width, box.height, box.height / 2, PAPER, INK, title)
        yield TextRun(x + PAD + 3, y + ONE_LINE / 2 + 4.5, box.label, LABEL_SIZE, INK, bold=True)
        yield TextRun(x + box.width - PAD - 3, y + ONE_LINE / 2 + 4, box.shape, SMALL_SIZE, MUTED, "end")
    else:
        yield Rect(x, y, box.width, box.height, 4, colours.fill, colours.stroke, title)
        yield TextRun(x + PAD, y + 17, box.label, LABEL_SIZE, INK)
        yield TextRun(x + box.width - PAD, y + 17, box.shape, SMALL_SIZE, MUTED, "end")
        if box.cost:
            yield TextRun(x + PAD, y + 33, box.cost, SMALL_SIZE, MUTED)
        for inner, (across, down) in zip(item.held, box.inside, strict=True):
            yield Rect(
                x + across - PAD, y + down - 1, inner.width + 2 * PAD, inner.height + 2, 4, PAPER, colours.stroke
            )
            yield from _paint(inner, x + across, y + down)
