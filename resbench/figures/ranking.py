"""StudyResults -> the ranking as a picture: mean val error with its 95 % interval, the tie group shaded, failing units marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resbench.figures.axis_scale import scale_of
from resbench.figures.row_chart import ChartColumn, draw_rows, in_order, mark_of, put_legend, put_mark, shaded
from resbench.results.study_results import StudyResults, UnitResults

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NOTE = (
    "Points are means over converged runs, lines their 95 % intervals (an arrow: it continues); shaded: {shaded}. n: converged "
    "of finished runs; diverged runs are in no mean."
)


def draw(results: StudyResults) -> Figure:
    units = results.units
    rows = [unit.row.ranked for unit in units]
    ends = [end for row in rows if not row.fails for end in (row.ci_low, row.ci_high) if end is not None]
    scale = scale_of([row.mean for row in rows if row.mean is not None], ends)
    columns = [
        ChartColumn("n", [unit.n for unit in units]),
        ChartColumn("mean", [_mean(unit, results) for unit in units]),
    ]
    drawn = draw_rows(
        [unit.name for unit in units], scale, label(results), columns, NOTE.format(shaded=shaded(results))
    )
    drawn.shade([i for i, row in enumerate(rows) if row.tied_with_best])
    for i, unit in enumerate(units):
        row, mark = unit.row.ranked, mark_of(unit, results)
        if row.mean is None:  # no run converged: it has no place on the axis, and the column says so
            continue
        if row.ci_low is not None and row.ci_high is not None and not row.fails:
            drawn.interval(row.ci_low, row.ci_high, i, mark)
        put_mark(drawn.axes, row.mean, i, mark)
    put_legend(drawn.figure, in_order(mark_of(unit, results) for unit in units if unit.row.ranked.mean is not None))
    return drawn.figure


def label(results: StudyResults) -> str:
    return f"{results.words.long} on {results.data}"


def _mean(unit: UnitResults, results: StudyResults) -> str:
    mean = unit.row.ranked.mean
    if not unit.row.ranked.n:
        return results.board.verdict_on(unit.row)
    return "none" if mean is None else f"{mean:.2f}" if results.objective == "val_error_pct" else f"{mean:.4g}"
