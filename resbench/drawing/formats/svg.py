"""Scene -> SVG text, which is self-contained: no script, style sheet, font file or identifiers.

Several can therefore be in one page, and in a notebook none changes the style of another.
"""

from __future__ import annotations

from collections.abc import Sequence

from resbench.drawing.annotated import AnnotatedView
from resbench.drawing.layout.card import card
from resbench.drawing.scene import Disc, Head, Line, Rect, Scene, Shape, TextRun, bends
from resbench.escape import xml_text

_FONT = "ui-sans-serif, system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"


def svg(views: Sequence[AnnotatedView]) -> str:
    return render(card(views))


def render(scene: Scene) -> str:
    width, height = _n(scene.width), _n(scene.height)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'role="img" font-family="{_FONT}">'
    )
    return "\n".join([head, f"<title>{xml_text(scene.title)}</title>", *map(_shape, scene.shapes), "</svg>\n"])


def _shape(shape: Shape) -> str:
    match shape:
        case Rect():
            return (
                f'<rect x="{_n(shape.left)}" y="{_n(shape.top)}" width="{_n(shape.width)}" height="{_n(shape.height)}" '
                f'rx="{_n(shape.radius)}" fill="{shape.fill}" stroke="{shape.stroke}"{_titled(shape.title, "rect")}'
            )
        case Disc():
            return (
                f'<circle cx="{_n(shape.x)}" cy="{_n(shape.y)}" r="{_n(shape.radius)}" fill="{shape.fill}" '
                f'stroke="{shape.stroke}" stroke-width="1.5"{_titled(shape.title, "circle")}'
            )
        case Line():
            return f'<path d="{_path(shape)}" fill="none" stroke="{shape.stroke}" stroke-width="{_n(shape.width)}"/>'
        case Head():
            points = " ".join(f"{_n(x)},{_n(y)}" for x, y in shape.points)
            return f'<polygon points="{points}" fill="{shape.fill}"/>'
        case TextRun():
            anchor = "" if shape.anchor == "start" else f' text-anchor="{shape.anchor}"'
            weight = ' font-weight="600"' if shape.bold else ""
            return (
                f'<text x="{_n(shape.x)}" y="{_n(shape.y)}" font-size="{_n(shape.size)}" fill="{shape.fill}"'
                f"{anchor}{weight}>{xml_text(shape.text)}</text>"
            )


def _titled(title: str, tag: str) -> str:
    return f"><title>{xml_text(title)}</title></{tag}>" if title else "/>"


def _path(line: Line) -> str:
    parts = [f"M{_n(line.points[0][0])} {_n(line.points[0][1])}"]
    for (ax, ay), (x, y), (bx, by) in bends(line.points):
        parts.append(f"L{_n(ax)} {_n(ay)}Q{_n(x)} {_n(y)} {_n(bx)} {_n(by)}")
    parts.append(f"L{_n(line.points[-1][0])} {_n(line.points[-1][1])}")
    return "".join(parts)


def _n(value: float) -> str:
    """Return a number with at most two decimals, without trailing zeros."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
