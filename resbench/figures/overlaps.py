"""Marks that lie over each other -> how many, beside them: one mark would be taken for one unit."""

from __future__ import annotations

from collections.abc import Sequence
from math import dist
from typing import TYPE_CHECKING

from resbench.figures.style import MUTED, SMALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TOUCH = 0.05  # inches between the middles of two marks, at most


def find_overlaps(points: Sequence[tuple[float, float]]) -> list[list[tuple[float, float]]]:
    """Return points in inches whose marks lie over each other, two or more: each near to another of its heap."""
    found: list[list[tuple[float, float]]] = []
    for point in sorted(points):
        near = [heap for heap in found if any(dist(point, other) < TOUCH for other in heap)]
        found = [heap for heap in found if heap not in near] + [[point, *(other for heap in near for other in heap)]]
    return [heap for heap in found if len(heap) > 1]


def annotate_overlaps(axes: Axes, points: Sequence[tuple[float, float]]) -> None:
    """`points` as the axes have them; the number stands to the left."""
    to_inches = axes.transData + axes.figure.dpi_scale_trans.inverted()
    inches = [(float(x), float(y)) for x, y in map(to_inches.transform, points)]
    for heap in find_overlaps(inches):
        x, y = min(x for x, _ in heap) - 0.05, sum(y for _, y in heap) / len(heap)
        left, up = axes.transData.inverted().transform(axes.figure.dpi_scale_trans.transform((x, y)))
        axes.text(
            left, up, f"x{len(heap)}", fontsize=SMALL, ha="right", va="center", color=MUTED, zorder=6, clip_on=False
        )
