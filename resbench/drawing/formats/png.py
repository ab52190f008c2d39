"""Views -> PNG, drawn by matplotlib: the same shapes at the same places as the SVG."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING

from resbench.drawing.annotated import AnnotatedView
from resbench.drawing.layout.card import card
from resbench.drawing.scene import Disc, Head, Line, Rect, Scene, Shape, TextRun, bends
from resbench.errors import BadInput

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PER_INCH = 100  # pixels of the layout
_DPI = 200
_LARGEST = 32_000  # pixels along a side, which matplotlib can draw
_MOST = 120_000_000  # total pixels
_POINT = 72 / _PER_INCH


def png(views: Sequence[AnnotatedView]) -> bytes:
    return render(card(views))


def render(scene: Scene) -> bytes:
    """Return the PNG. Raise BadInput for a picture that is too large for any PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    width, height = scene.width / _PER_INCH, scene.height / _PER_INCH
    dpi = min(_DPI, _LARGEST / max(width, height), (_MOST / (width * height)) ** 0.5)
    if dpi < _PER_INCH / 2:
        raise BadInput(
            f"a PNG of {scene.width:.0f} x {scene.height:.0f} pixels is too large to be drawn; svg has no such limit"
        )
    figure = Figure(figsize=(width, height), dpi=dpi, facecolor="none")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, scene.width)
    axes.set_ylim(scene.height, 0)
    axes.set_axis_off()
    for order, shape in enumerate(scene.shapes):
        _draw(axes, shape, order)
    out = BytesIO()
    figure.savefig(out, format="png", dpi=dpi, transparent=True, metadata={"Software": None, "Title": scene.title})
    return out.getvalue()


def _draw(axes: Axes, shape: Shape, order: int) -> None:
    from matplotlib.patches import Circle, FancyBboxPatch, PathPatch, Polygon
    from matplotlib.path import Path

    match shape:
        case Rect():
            style = f"round,pad=0,rounding_size={min(shape.radius, shape.height / 2, shape.width / 2)}"
            axes.add_patch(
                FancyBboxPatch(
                    (shape.left, shape.top), shape.width, shape.height, boxstyle=style, facecolor=shape.fill,
                    edgecolor=shape.stroke, linewidth=_POINT, zorder=order,
                )
            )  # fmt: skip
        case Disc():
            circle = Circle((shape.x, shape.y), shape.radius, facecolor=shape.fill, edgecolor=shape.stroke)
            circle.set(linewidth=1.5 * _POINT, zorder=order)
            axes.add_patch(circle)
        case Line():
            points, codes = [shape.points[0]], [Path.MOVETO]
            for before, corner, after in bends(shape.points):
                points += [before, corner, after]
                codes += [Path.LINETO, Path.CURVE3, Path.CURVE3]
            path = Path([*points, shape.points[-1]], [*codes, Path.LINETO])
            patch = PathPatch(path, facecolor="none", edgecolor=shape.stroke, linewidth=shape.width * _POINT)
            patch.set(zorder=order, capstyle="butt")
            axes.add_patch(patch)
        case Head():
            axes.add_patch(Polygon(shape.points, facecolor=shape.fill, edgecolor="none", zorder=order))
        case TextRun():
            weight = "bold" if shape.bold else "normal"
            align = {"start": "left", "middle": "center", "end": "right"}[shape.anchor]
            axes.text(
                shape.x, shape.y, shape.text, fontsize=shape.size * _POINT, color=shape.fill, ha=align, va="baseline",
                weight=weight, zorder=order, family="sans-serif", parse_math=False,
            )  # fmt: skip
