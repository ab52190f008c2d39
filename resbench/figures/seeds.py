"""StudyResults -> one mark per seed: the val error of each run in the row of its unit, diverged runs in a separate strip."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resbench.figures.axis_scale import scale_of
from resbench.figures.ranking import label
from resbench.figures.row_chart import (
    PAD,
    ChartColumn,
    RowChart,
    draw_rows,
    in_order,
    mark_of,
    put_legend,
    put_mark,
    shaded,
)
from resbench.figures.style import DIVERGED, INCH, INK
from resbench.results.study_results import StudyResults

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NOTE = (
    "Every run is a mark; seeds have the same order from top to bottom in each row. The vertical line is the mean over "
    "converged runs; shaded: {shaded}. Diverged runs (a loss that is not finite, or val error not better than "
    "chance) have no place on the axis."
)
_ROOM = 0.3  # of a row, to either side of its middle


def draw(results: StudyResults) -> Figure:
    units = results.units
    scale = scale_of([score for unit in units for run in unit.converged if (score := results.score(run)) is not None])
    columns = [ChartColumn("n", [unit.n for unit in units])]
    if any(unit.diverged for unit in units):
        columns = [ChartColumn("diverged", ["" for _ in units]), *columns]
    drawn = draw_rows(
        [unit.name for unit in units], scale, label(results), columns, NOTE.format(shaded=shaded(results))
    )
    drawn.shade([i for i, unit in enumerate(units) if unit.row.ranked.tied_with_best])
    seeds = sorted({run.seed for unit in units for run in unit.runs})
    step = 2 * _ROOM / max(1, len(seeds) - 1)
    offsets = {seed: k * step - _ROOM if len(seeds) > 1 else 0.0 for k, seed in enumerate(seeds)}
    size = max(2.0, min(4.0, 1.3 * step * drawn.tall * INCH))
    aside = 1 + (2 * PAD + columns[0].width / 2) / drawn.wide
    for i, unit in enumerate(units):
        for run in unit.converged:
            score = results.score(run)
            assert score is not None
            put_mark(drawn.axes, score, i + offsets[run.seed], mark_of(unit, results), size=size)
        for run in unit.diverged:
            _diverged(drawn, aside, i + offsets[run.seed], size)
        mean = unit.row.ranked.mean
        if mean is not None:
            drawn.axes.plot([mean, mean], [i - 0.38, i + 0.38], color=INK, linewidth=1.0, zorder=3)
    marks = in_order(mark_of(unit, results) for unit in units if unit.converged)
    put_legend(drawn.figure, [*marks, *([DIVERGED] if len(columns) > 1 else [])], size=4.0)
    return drawn.figure


def _diverged(drawn: RowChart, x: float, y: float, size: float) -> None:
    """Draw a mark in the column of diverged runs, at `x` in fractions of the axes."""
    drawn.axes.plot(
        [x], [y], transform=drawn.axes.get_yaxis_transform(), marker=DIVERGED.marker, markersize=size,
        color=DIVERGED.colour, markeredgewidth=0.9, linestyle="none", clip_on=False,
    )  # fmt: skip
