"""StudyResults -> val error with its interval against cost; names do not overlap, and the Pareto front is marked.

Names are in columns to the right of their points, spread so that none overlaps another, each with a line to its point. Points
are never moved: where they overlap, their number is written beside them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from resbench.did_you_mean import did_you_mean
from resbench.drawing.format import counts
from resbench.errors import BadInput
from resbench.escape import printable
from resbench.figures.axis_scale import AxisScale, scale_of
from resbench.figures.overlaps import annotate_overlaps
from resbench.figures.ranking import label
from resbench.figures.row_chart import AXIS, EDGE, LEGEND, put_handles, put_mark, put_notes
from resbench.figures.style import (
    BLUE,
    FAINT,
    GREY,
    INCH,
    INK,
    LINE,
    MUTED,
    SIZE,
    SMALL,
    UNCLAIMED,
    WIDTH,
    MarkerStyle,
    add_axes,
    fitted,
    new_figure,
    spread,
    text_width,
    wrapped,
)  # fmt: skip
from resbench.results.study_results import StudyResults, UnitResults

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Cost = Literal["params", "macs", "train_s"]
COSTS: tuple[Cost, ...] = get_args(Cost)
LABELS: dict[Cost, str] = {
    "params": "trainable parameters",
    "macs": "MACs for one image",
    "train_s": "seconds of training under the load of the machine, mean over runs",
}
FRONT = MarkerStyle("o", BLUE, True, "on the front of the means")
OPEN = MarkerStyle("o", BLUE, False, "may be on it")
BEHIND = MarkerStyle("o", INK, False, "behind it, at 95 %")
NOTE = (
    "Points are means over converged runs, lines their 95 % intervals. The front is that of the means: no unit of at most the "
    "same cost has a lower mean. May be on it: no other unit is shown (95 %) to be better in both. Small bars end the lines; "
    "x3 marks three overlapping points. Failing units are excluded."
)
_WIDEST = (2.4, 2.0, 1.6)  # inches of a name: fewer where more names then fit beside their own points
_LEAD = 0.14  # inches from a point to its name
_LEFT = 0.55
_ROW = LINE * SMALL / INCH


Priced = tuple[UnitResults, float, float]  # its cost, its mean


@dataclass(frozen=True, slots=True)
class ParetoPoint:
    """A unit with its name, drawn at `x` inches from the left end of the axes."""

    unit: UnitResults
    cost: float
    error: float
    x: float
    name: str


def cost_of(text: str) -> Cost:
    """Parse the name of a cost. Raises BadInput for an unknown one."""
    cost = next((each for each in COSTS if each == text), None)
    if cost is None:
        raise BadInput(f"cost: expected one of {', '.join(COSTS)}, got `{printable(text)}`{did_you_mean(text, COSTS)}")
    return cost


def draw(results: StudyResults, *, cost: Cost = "params") -> Figure:
    """Draw error against cost. Raises BadInput where no unit has both a mean and this cost."""
    priced = [
        (unit, float(price), mean)
        for unit in results.units
        if (price := getattr(unit.row, cost)) is not None
        and (mean := unit.row.ranked.mean) is not None
        and not unit.row.ranked.fails
    ]
    if not priced:
        raise BadInput(f"study {results.study}: no unit has both a mean over converged runs and a measured {cost}")
    inside = WIDTH - 2 * EDGE - _LEFT
    ends = [end for unit, _, _ in priced for end in _interval(unit)]
    errors, costs = scale_of([mean for _, _, mean in priced], ends), scale_of([price for _, price, _ in priced])
    tried = [place(priced, costs, inside, widest) for widest in _WIDEST]
    spots, room = max(tried, key=lambda each: len(columns_of(each[0])))
    lines = wrapped(NOTE, WIDTH - 2 * EDGE)
    below = EDGE + len(lines) * _ROW + 0.04 + AXIS
    tall = max(3.0, 1.3 * _ROW * len(spots))
    height = below + tall + LEGEND + EDGE
    figure = new_figure(height)
    axes = add_axes(figure, EDGE + _LEFT, below, EDGE + _LEFT + inside, below + tall)
    axes.set_xlim(0, inside)
    errors.put(axes.yaxis)
    axes.grid(axis="y", color=FAINT, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.set_ylabel(errors.word(label(results)), fontsize=SIZE)
    axes.set_xlabel(costs.word(LABELS[cost]), fontsize=SIZE)
    _ticks(axes, costs, room)
    front, membership = front_of(spots), results.beside_cost(cost)
    marks = {
        spot.name: FRONT
        if spot in front
        else {True: OPEN, False: BEHIND, None: UNCLAIMED}[membership[spot.unit.row.ranked.name]]
        for spot in spots
    }
    _step(axes, front, inside)
    for spot in spots:
        mark = marks[spot.name]
        low, high = _interval(spot.unit) or (spot.error, spot.error)
        axes.plot(
            [spot.x] * 2, [max(low, errors.low), min(high, errors.high)], color=mark.colour, linewidth=1.0, zorder=3
        )
        for end in (low, high) if high > low else ():
            if errors.low <= end <= errors.high:
                axes.plot(spot.x, end, marker="_", markersize=4.5, markeredgewidth=0.8, color=mark.colour, zorder=3)
        put_mark(axes, spot.x, spot.error, mark, size=4.5)
    annotate_overlaps(axes, [(spot.x, spot.error) for spot in spots])
    for column in columns_of(spots):
        _names(axes, column, tall, front)
    put_notes(figure, lines)
    put_handles(figure, _legend([mark for mark in (FRONT, OPEN, BEHIND, UNCLAIMED) if mark in marks.values()]))
    return figure


def _interval(unit: UnitResults) -> tuple[float, ...]:
    row = unit.row.ranked
    return () if row.ci_low is None or row.ci_high is None else (row.ci_low, row.ci_high)


def place(priced: Sequence[Priced], costs: AxisScale, inside: float, widest: float) -> tuple[list[ParetoPoint], float]:
    """Return the points by cost and error, and the width of the cost axis: the space left by the names of the last column."""
    names = {id(unit): fitted(f"{unit.row.ranked.rank} {unit.name}", widest, SMALL, lines=1) for unit, _, _ in priced}
    room = inside - max(text_width(name, SMALL) for name in names.values()) - _LEAD - 0.1
    spots: list[ParetoPoint] = []
    for unit, price, error in sorted(priced, key=lambda each: (each[1], each[2])):
        spots.append(ParetoPoint(unit, price, error, _along(price, costs) * room, names[id(unit)]))
    return spots, room


def _along(price: float, costs: AxisScale) -> float:
    """Return the position of a cost on its axis, from 0 to 1."""
    from math import log

    if costs.log:
        return log(price / costs.low) / log(costs.high / costs.low)
    return (price - costs.low) / (costs.high - costs.low)


def columns_of(spots: Sequence[ParetoPoint]) -> list[list[ParetoPoint]]:
    """Group points whose names form one column: a new column begins where all names so far end left of the next point."""
    columns: list[list[ParetoPoint]] = []
    for spot in sorted(spots, key=lambda each: each.x):
        if columns and spot.x - 0.06 < _right(columns[-1]):
            columns[-1].append(spot)
        else:
            columns.append([spot])
    return columns


def _right(column: Sequence[ParetoPoint]) -> float:
    return max(spot.x for spot in column) + _LEAD + max(text_width(spot.name, SMALL, bold=True) for spot in column)


def front_of(spots: Sequence[ParetoPoint]) -> list[ParetoPoint]:
    """Return the Pareto front of the means, by rising cost: no other point of at most the same cost is better."""
    front: list[ParetoPoint] = []
    for spot in sorted(spots, key=lambda each: (each.cost, each.error)):
        if not front or spot.error < front[-1].error:
            front.append(spot)
    return front


def _step(axes: Axes, front: Sequence[ParetoPoint], inside: float) -> None:
    xs, ys = [spot.x for spot in front], [spot.error for spot in front]
    axes.step([*xs, inside], [*ys, ys[-1]], where="post", color=BLUE, linewidth=0.9, linestyle=(0, (4, 2)), zorder=2)


def _names(axes: Axes, column: Sequence[ParetoPoint], tall: float, front: Sequence[ParetoPoint]) -> None:
    """Draw the names of a column, spread along the height of the axes, each with a thin line to its point."""
    to_inches = axes.transData + axes.figure.dpi_scale_trans.inverted()
    foot = to_inches.transform((0.0, axes.get_ylim()[0]))[1]
    heights = [(float(to_inches.transform((spot.x, spot.error))[1] - foot), spot) for spot in column]
    heights.sort(key=lambda each: (each[0], -each[1].x))
    places = spread([height for height, _ in heights], _ROW, _ROW / 2, tall - _ROW / 2)
    x = max(spot.x for spot in column) + _LEAD
    back = axes.transData.inverted()
    for (_, spot), at in zip(heights, places, strict=True):
        y = float(back.transform(axes.figure.dpi_scale_trans.transform((0.0, foot + at)))[1])
        axes.plot([spot.x, x - 0.03], [spot.error, y], color=GREY, linewidth=0.4, zorder=1)
        bold = spot in front
        axes.text(x, y, spot.name, fontsize=SMALL, va="center", color=INK if bold else MUTED, zorder=5,
                  weight="bold" if bold else "normal",
                  bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6})  # fmt: skip


def _ticks(axes: Axes, costs: AxisScale, room: float) -> None:
    """Set the ticks at round costs; the coordinates of the axis are inches."""
    from matplotlib.ticker import MaxNLocator

    from resbench.figures.axis_scale import round_numbers

    if costs.log:
        values = round_numbers(costs.low, costs.high)
    else:
        ticks = MaxNLocator(nbins=5, steps=[1, 2, 5, 10]).tick_values(costs.low, costs.high)
        values = [float(value) for value in ticks if costs.low <= value <= costs.high]
    axes.set_xticks([_along(value, costs) * room for value in values], counts(values))


def _legend(marks: Sequence[MarkerStyle]) -> list[Artist]:
    from matplotlib.lines import Line2D

    return [
        Line2D([], [], marker=mark.marker, color=mark.colour, linestyle="none", markersize=4.5, label=mark.word,
               markerfacecolor=mark.colour if mark.filled else "white", markeredgewidth=0.9)
        for mark in marks
    ]  # fmt: skip
