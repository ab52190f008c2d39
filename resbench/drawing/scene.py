"""Define the shapes of every drawn format: rectangles, discs, lines, arrow heads and texts, in painting order.

Pixels, y downwards; colours as `#rrggbb`, all for a light card with dark text, which is readable on any page. `title`
is shown where the mouse rests on a shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from resbench.drawing.labels import Kind

Point = tuple[float, float]
Anchor = Literal["start", "middle", "end"]

PAPER, CARD_EDGE = "#ffffff", "#d0d7de"
INK, MUTED = "#1f2328", "#57606a"
FRAME, FRAME_EDGE = "#f6f8fa", "#dde3e9"
SKIP, EDGE = "#1f2328", "#6e7781"


@dataclass(frozen=True, slots=True)
class Colours:
    """The colours of a kind of op; `name` is its text in a legend."""

    fill: str
    stroke: str
    name: str


COLOURS: dict[Kind, Colours] = {
    "weights": Colours("#dbeafe", "#2563eb", "convolution, linear"),
    "norm": Colours("#dcfce7", "#15803d", "normalisation"),
    "activation": Colours("#ffedd5", "#c2410c", "activation"),
    "gate": Colours("#fce7f3", "#be185d", "gate, scale, bias"),
    "random": Colours("#ede9fe", "#6d28d9", "random"),
    "moving": Colours("#eef2f6", "#57606a", "pool, pad, slice"),
    "merge": Colours("#ffffff", "#1f2328", "+ add  × multiply  ‖ concat  − subtract"),
    "other": Colours("#ffffff", "#57606a", "other op"),
}


@dataclass(frozen=True, slots=True)
class Rect:
    left: float
    top: float
    width: float
    height: float
    radius: float
    fill: str
    stroke: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Disc:
    x: float
    y: float
    radius: float
    fill: str
    stroke: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line with rounded corners."""

    points: tuple[Point, ...]
    stroke: str
    width: float


@dataclass(frozen=True, slots=True)
class Head:
    """An arrow head: the filled triangle at the end of a line."""

    points: tuple[Point, Point, Point]
    fill: str


@dataclass(frozen=True, slots=True)
class TextRun:
    """A line of text on the baseline y."""

    x: float
    y: float
    text: str
    size: float
    fill: str
    anchor: Anchor = "start"
    bold: bool = False


Shape = Rect | Disc | Line | Head | TextRun
CORNER = 6.0  # radius of a line's bends


@dataclass(frozen=True, slots=True)
class Scene:
    """A scene to draw; `title` describes it for readers who do not see it."""

    width: float
    height: float
    title: str
    shapes: tuple[Shape, ...]


def bends(points: tuple[Point, ...]) -> list[tuple[Point, Point, Point]]:
    """Yield, for each inner point, the start of its bend, the point, and the end of the bend."""
    found = []
    for a, b, c in zip(points, points[1:], points[2:], strict=False):
        before, after = _towards(b, a), _towards(b, c)
        found.append((before, b, after))
    return found


def _towards(a: Point, b: Point) -> Point:
    """Return the point from a towards b, at most a corner's radius and at most half the distance away."""
    way = abs(b[0] - a[0]) + abs(b[1] - a[1])  # one of them is 0
    part = min(CORNER, way / 2) / way if way else 0.0
    return a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part
