"""Units -> a figure of small panels with one scale: one panel per unit, with all other units behind it in grey.

Twenty lines in one frame cannot be told apart, by colour or otherwise; with one panel each, they need not be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from resbench.figures.axis_scale import AxisScale
from resbench.figures.row_chart import AXIS, EDGE, LEGEND, put_notes
from resbench.figures.style import (
    FAINT,
    INCH,
    INK,
    LINE,
    SIZE,
    SMALL,
    WIDTH,
    add_axes,
    fitted,
    new_figure,
    wrapped,
)  # fmt: skip

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ACROSS = 4
_TALL, _GAP = 1.15, 0.12
_LEFT = 0.62  # the label, in up to two lines, and the ticks of the left axis


@dataclass(frozen=True, slots=True)
class Panels:
    """A figure with the axes of its panels."""

    figure: Figure
    axes: tuple[Axes, ...]


def draw_panels(
    titles: Sequence[str], scales: tuple[AxisScale, AxisScale], labels: tuple[str, str], note: str
) -> Panels:
    """Draw a panel for each title, four in a row. The horizontal scale and label come first; `note` goes below the panels."""
    across = min(_ACROSS, len(titles))
    down = -(-len(titles) // across)
    wide = (WIDTH - 2 * EDGE - _LEFT - _GAP * (across - 1)) / across
    texts = [fitted(title, wide, SMALL, lines=3) for title in titles]
    title = max(text.count("\n") + 1 for text in texts) * LINE * SMALL / INCH + 0.05
    lines = wrapped(note, WIDTH - 2 * EDGE)
    below = EDGE + len(lines) * LINE * SMALL / INCH + 0.04
    height = below + AXIS + down * (_TALL + title) + (down - 1) * _GAP + LEGEND + EDGE
    figure = new_figure(height)
    panels = []
    for i, text in enumerate(texts):
        row, column = divmod(i, across)
        left = EDGE + _LEFT + column * (wide + _GAP)
        top = height - EDGE - LEGEND - title - row * (_TALL + title + _GAP)
        axes = add_axes(figure, left, top - _TALL, left + wide, top)
        scales[0].put(axes.xaxis)
        scales[1].put(axes.yaxis)
        axes.grid(color=FAINT, linewidth=0.4)
        axes.set_axisbelow(True)
        last = i + across >= len(texts)
        axes.tick_params(labelbottom=last, labelleft=column == 0)
        axes.text(0, 1 + 0.04 / _TALL, text, transform=axes.transAxes, fontsize=SMALL, va="bottom", linespacing=LINE,
                  color=INK)  # fmt: skip
        panels.append(axes)
    middle = EDGE + _LEFT + (WIDTH - 2 * EDGE - _LEFT) / 2
    figure.text(
        middle / WIDTH, (below + 0.02) / height, scales[0].word(labels[0]), ha="center", va="bottom", fontsize=SIZE
    )
    centre = (below + AXIS + height - EDGE - LEGEND) / 2
    label = fitted(scales[1].word(labels[1]), height - below - AXIS - LEGEND - EDGE)
    figure.text(EDGE / WIDTH, centre / height, label, ha="left", va="center", multialignment="center", rotation=90,
                fontsize=SIZE, linespacing=LINE)  # fmt: skip
    put_notes(figure, lines)
    return Panels(figure, tuple(panels))
