"""Overlapping marks -> their number beside them, since one mark would be taken for one unit."""

from __future__ import annotations

from collections.abc import Sequence
from math import dist
from typing import TYPE_CHECKING

from resbench.figures.style import MUTED, SMALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TOUCH = 0.05  # inches: the largest distance between the centres of two overlapping marks


def find_overlaps(points: Sequence[tuple[float, float]]) -> list[list[tuple[float, float]]]:
    """Group points (in inches) whose marks overlap: each is near to another one of its group. Single points are dropped."""
    groups: list[list[tuple[float, float]]] = []
    for point in sorted(points):
        near = [group for group in groups if any(dist(point, other) < TOUCH for other in group)]
        groups = [group for group in groups if group not in near] + [
            [point, *(other for group in near for other in group)]
        ]
    return [group for group in groups if len(group) > 1]


def annotate_overlaps(axes: Axes, points: Sequence[tuple[float, float]]) -> None:
    """Write the number of overlapping marks to the left of each group. `points` are in data coordinates."""
    to_inches = axes.transData + axes.figure.dpi_scale_trans.inverted()
    inches = [(float(x), float(y)) for x, y in map(to_inches.transform, points)]
    for group in find_overlaps(inches):
        x, y = min(x for x, _ in group) - 0.05, sum(y for _, y in group) / len(group)
        left, up = axes.transData.inverted().transform(axes.figure.dpi_scale_trans.transform((x, y)))
        axes.text(
            left, up, f"x{len(group)}", fontsize=SMALL, ha="right", va="center", color=MUTED, zorder=6, clip_on=False
        )
