"""Views -> Scene: a card with the unit's name, a panel for each place with its layout side by side, and a legend."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from resbench.report.caption import about, doc, name, where
from resbench.report.colours import CARD_EDGE, COLOURS, INK, MUTED, PAPER
from resbench.report.font import text_width
from resbench.report.kind import Kind
from resbench.report.layout import Layout, lay_out
from resbench.report.paint import paint
from resbench.report.scene import Rect, Scene, Shape, Words
from resbench.report.shown import ShownGraph, View

_MARGIN, _BETWEEN = 22.0, 44.0
_TITLE, _WORDS, _SMALL = 17.0, 12.0, 10.5
_LINE = 17.0
_NARROWEST = 420.0


def card(views: Sequence[View]) -> Scene:
    """The views are of one unit."""
    layouts = [lay_out(view.graph) for view in views]
    heads = [[where(view), *about(view)] for view in views]
    widths = [
        max(layout.width, *(text_width(line, _WORDS) for line in head))
        for layout, head in zip(layouts, heads, strict=True)
    ]
    width = max(_NARROWEST, sum(widths) + _BETWEEN * (len(views) - 1))
    shapes: list[Shape] = []
    y = _MARGIN + _TITLE
    shapes.append(Words(_MARGIN, y, name(views[0]), _TITLE, INK, bold=True))
    for line in _wrapped(doc(views[0]), width):
        y += _LINE
        shapes.append(Words(_MARGIN, y, line, _WORDS, MUTED))
    y += 12
    x, lowest = _MARGIN, y
    for layout, head, panel in zip(layouts, heads, widths, strict=True):
        below = y
        for i, line in enumerate(head):
            below += _LINE
            shapes.append(Words(x, below, line, _WORDS, MUTED if i else INK))
        shapes += paint(layout, x + _indent(layout, panel), below + 16)
        lowest = max(lowest, below + 16 + layout.height)
        x += panel + _BETWEEN
    legend, bottom = _legend(views, layouts, width, lowest + 22)
    paper = Rect(0.5, 0.5, width + 2 * _MARGIN - 1, bottom + _MARGIN - 7, 8, PAPER, CARD_EDGE)
    title = f"{name(views[0])}: {', '.join(where(view) for view in views)}"
    return Scene(width + 2 * _MARGIN, bottom + _MARGIN - 6, title, (paper, *shapes, *legend))


def _indent(layout: Layout, panel: float) -> float:
    return max(0.0, (panel - layout.width) / 2)


def _wrapped(text: str, width: float) -> Iterator[str]:
    """Lines that are at most so wide."""
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


def _legend(views: Sequence[View], layouts: Sequence[Layout], width: float, y: float) -> tuple[list[Shape], float]:
    """The colours that occur, and what the small words mean; with the y of its last line."""
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
        shapes.append(Words(x + 15, y, colours.name, _SMALL, MUTED))
        x += needed + 16
    told = "Shapes are channels × height × width; MACs are for one image."
    if any(layout.skip for layout in layouts):
        told += " The thick line is the skip path."
    for line in _wrapped(told, width):
        y += 16
        shapes.append(Words(_MARGIN, y, line, _SMALL, MUTED))
    return shapes, y


def _kinds(graph: ShownGraph) -> set[Kind]:
    return {op.kind for op in graph.ops} | {kind for op in graph.ops for _, inner in op.inner for kind in _kinds(inner)}
