"""Names of units -> a figure with a row for each: the name on the left, one axis for all, columns on the right, notes below."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from resbench.figures.axis_scale import AxisScale
from resbench.figures.style import (
    BAND,
    BEHIND,
    FAILS,
    FAINT,
    INCH,
    INK,
    LINE,
    MUTED,
    ON_FRONT,
    SIZE,
    SMALL,
    TIED,
    UNCLAIMED,
    WIDTH,
    WORSE,
    MarkerStyle,
    add_axes,
    fitted,
    new_figure,
    text_width,
    wrapped,
)  # fmt: skip

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from resbench.results.study_results import StudyResults, UnitResults

EDGE = 0.1  # inches around everything
WIDEST_NAME = 2.2
AXIS = 0.42  # under the axes: ticks and label
LEGEND = 0.22
PAD = 0.07
Side = Literal["left", "right"]


@dataclass(frozen=True, slots=True)
class ChartColumn:
    """A column of texts on the right of the axes, one per row."""

    head: str
    cells: Sequence[str]

    @property
    def width(self) -> float:
        return max(text_width(text, SMALL) for text in (self.head, *self.cells))


@dataclass(frozen=True, slots=True)
class RowChart:
    """A figure with one row per unit. Row i is centred at y = i, with the first on top.

    `tall` is the height of a row and `wide` the width of the axes, in inches.
    """

    figure: Figure
    axes: Axes
    scale: AxisScale
    tall: float
    wide: float

    def shade(self, indices: Sequence[int]) -> None:
        """Shade the background of some rows, such as the tie group."""
        for i in indices:
            self.axes.axhspan(i - 0.5, i + 0.5, color=BAND, linewidth=0, zorder=0)

    def interval(self, low: float, high: float, y: float, mark: MarkerStyle) -> None:
        """Draw an interval as a line, with an arrow where it continues beyond the axis."""
        inside = max(low, self.scale.low), min(high, self.scale.high)
        self.axes.plot(inside, [y, y], color=mark.colour, linewidth=1.3, solid_capstyle="butt", zorder=3)
        for end, given, arrow in ((inside[0], low, "<"), (inside[1], high, ">")):
            if end != given:
                put_mark(self.axes, end, y, MarkerStyle(arrow, mark.colour, True, "the interval continues"), size=4.0)


def shaded(results: StudyResults) -> str:
    """Return a text that says what the shaded rows are."""
    if len(results.board.objectives) > 1:
        return f"no other unit is shown to be better (95 %) in all of {', '.join(results.board.objectives)}"
    return "units that cannot be told apart from the best (95 %)"


def mark_of(unit: UnitResults, results: StudyResults) -> MarkerStyle:
    ranked = unit.row.ranked
    if ranked.fails:
        return FAILS
    inside, outside = (ON_FRONT, BEHIND) if len(results.board.objectives) > 1 else (TIED, WORSE)
    return {True: inside, False: outside, None: UNCLAIMED}[ranked.tied_with_best]


def in_order(marks: Iterable[MarkerStyle]) -> list[MarkerStyle]:
    """Return each mark once, in the order of a legend."""
    drawn = set(marks)
    return [mark for mark in (TIED, ON_FRONT, WORSE, BEHIND, UNCLAIMED, FAILS) if mark in drawn]


def draw_rows(
    names: Sequence[str],
    scale: AxisScale,
    label: str,
    columns: Sequence[ChartColumn],
    note: str,
    *,
    numbered: bool = True,
) -> RowChart:
    """Draw the rows without their marks. `note` goes below the picture; with `numbered`, rows have the numbers of the ranking."""
    texts = [fitted(name, WIDEST_NAME) for name in names]
    numbers = [str(number) for number in (range(1, len(names) + 1) if numbered else ())]
    indent = max(map(text_width, numbers)) + PAD if numbers else 0.0
    left = EDGE + indent + max(text_width(line) for text in texts for line in text.split("\n")) + PAD
    right = WIDTH - EDGE - sum(column.width + 2 * PAD for column in columns)
    lines = wrapped(note, WIDTH - 2 * EDGE)
    words = fitted(scale.word(label), right - left)
    axis = AXIS + words.count("\n") * LINE * SIZE / INCH
    tall = max(text.count("\n") + 1 for text in texts) * LINE * SIZE / INCH + 0.05
    below = EDGE + len(lines) * LINE * SMALL / INCH + 0.04
    head = EDGE + LEGEND + (LINE * SMALL / INCH if columns else 0)
    height = below + axis + tall * len(names) + head
    figure = new_figure(height)
    axes = add_axes(figure, left, below + axis, right, height - head)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    scale.put(axes.xaxis)
    axes.grid(axis="x", color=FAINT, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.set_xlabel(words, fontsize=SIZE, linespacing=LINE)
    rows = RowChart(figure, axes, scale, tall, right - left)
    for i, text in enumerate(texts):
        _put(rows, (EDGE + indent - left, i), text)
    for i, number in enumerate(numbers):
        _put(rows, (EDGE + indent - PAD - left, i), number, side="right", colour=MUTED)
    x = right - left
    for column in columns:
        x += 2 * PAD + column.width
        axes.text(x / rows.wide, 1.0, column.head, transform=axes.transAxes, ha="right", fontsize=SMALL, color=MUTED)
        for i, cell in enumerate(column.cells):
            _put(rows, (x, i), cell, side="right", size=SMALL)
    put_notes(figure, lines)
    return rows


def _put(
    rows: RowChart, at: tuple[float, int], text: str, *, side: Side = "left", size: float = SIZE, colour: str = INK
) -> None:
    """Write a text at `at`: inches from the left end of the axes, and the number of the row."""
    rows.axes.text(
        at[0] / rows.wide, at[1], text, transform=rows.axes.get_yaxis_transform(), ha=side, va="center", fontsize=size,
        color=colour, linespacing=LINE,
    )  # fmt: skip


def put_notes(figure: Figure, lines: Sequence[str]) -> None:
    """Write lines at the foot of the figure."""
    height = figure.get_size_inches()[1]
    for i, line in enumerate(reversed(lines)):
        y = (EDGE + i * LINE * SMALL / INCH) / height
        figure.text(EDGE / WIDTH, y, line, fontsize=SMALL, color=MUTED, va="bottom")


def put_mark(axes: Axes, x: float, y: float, mark: MarkerStyle, *, size: float = 5.0) -> None:
    axes.plot([x], [y], zorder=4, clip_on=False, **_look(mark, size))


def put_legend(figure: Figure, marks: Sequence[MarkerStyle], *, size: float = 5.0) -> None:
    """Draw a legend of marks at the top, in one line."""
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], label=mark.word, **_look(mark, size)) for mark in marks]
    put_handles(figure, handles)


def put_handles(figure: Figure, handles: Sequence[Artist]) -> None:
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(EDGE / WIDTH, 1 - EDGE / 2 / figure.get_size_inches()[1]),
        ncols=len(handles), frameon=False, fontsize=SMALL, borderpad=0, borderaxespad=0, handletextpad=0.3,
        columnspacing=1.4,
    )  # fmt: skip


def _look(mark: MarkerStyle, size: float) -> dict[str, Any]:
    return {
        "marker": mark.marker, "markersize": size, "color": mark.colour, "linestyle": "none", "markeredgewidth": 0.9,
        "markerfacecolor": mark.colour if mark.filled else "white",
    }  # fmt: skip
