"""StudyResults -> each unit minus the best: difference of means, 95 % interval, a line at 0, p (Holm); by seed where paired."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resbench.drawing.format import cut
from resbench.figures.axis_scale import around_zero
from resbench.figures.row_chart import ChartColumn, RowChart, draw_rows, put_legend, put_mark
from resbench.figures.style import BLUE, GREY, INK, MUTED, MarkerStyle
from resbench.results.study_results import StudyResults, UnitResults
from resbench.statistics.comparison import TESTS, Comparison

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CLAIM = MarkerStyle("o", INK, True, "different: p (Holm) at most 0.05")
OPEN = MarkerStyle("o", BLUE, False, "not shown to differ")
NO_TEST = MarkerStyle("s", MUTED, False, "no test: fails, or under 3 converged runs")
SEED = MarkerStyle("|", GREY, True, "one seed")


def draw(results: StudyResults) -> Figure:
    """Draw the differences from the best. Raises BadInput where there are no two units to compare."""
    rows = results.against_best()
    best = results.best
    assert best is not None
    ends = [end for _, pair in rows for end in (pair.ci_low, pair.ci_high, pair.difference) if end is not None]
    seeds = [by_seed(results, unit, best) if results.paired else [] for unit, _ in rows]
    ends += [value for of in seeds for value in of]
    halves = [(p.ci_high - p.ci_low) / 2 for _, p in rows if p.ci_low is not None and p.ci_high is not None]
    scale = around_zero(ends, min(halves, default=0.0))
    columns = [
        ChartColumn("difference", [_signed(pair.difference) for _, pair in rows]),
        ChartColumn("p (Holm)", [_p(pair.p_holm) for _, pair in rows]),
    ]
    label = f"difference from {cut(best.name, 40)}, in {results.words.unit}"
    drawn = draw_rows([unit.name for unit, _ in rows], scale, label, columns, note(results), numbered=False)
    drawn.axes.axvline(0.0, color=INK, linewidth=0.9, zorder=2)
    for i, ((_, pair), own) in enumerate(zip(rows, seeds, strict=True)):
        _row(drawn, i, pair, own)
    marks = {mark_of(pair) for _, pair in rows if pair.difference is not None} | ({SEED} if any(seeds) else set())
    put_legend(drawn.figure, [mark for mark in (CLAIM, OPEN, NO_TEST, SEED) if mark in marks])
    return drawn.figure


def mark_of(pair: Comparison) -> MarkerStyle:
    return {True: CLAIM, False: OPEN, None: NO_TEST}[pair.claim]


def note(results: StudyResults) -> str:
    """Return the note under the picture, which the report also has under its table."""
    kind = "paired t-intervals over common seeds" if results.paired else "Welch's intervals"
    test = TESTS[results.method] + (
        f" times {len(results.source.design.race)} looks of the race" if results.source.design.race else ""
    )
    tested = sum(pair.p is not None for pair in results.pairs)
    return (
        f"Lines are 95 % {kind}, each for itself; p: {test}, Holm over all {tested} pairs of the study that can be tested, not "
        f"only those shown, since the best was selected by its mean; the tie group, from a stepwise test, may exclude more units."
    )


def by_seed(results: StudyResults, unit: UnitResults, best: UnitResults) -> list[float]:
    """Return the differences by seed, over the seeds that converged in both units."""
    of = {run.seed: results.score(run) for run in best.converged}
    return [
        score - other
        for run in unit.converged
        if (score := results.score(run)) is not None and (other := of.get(run.seed)) is not None
    ]


def _row(drawn: RowChart, i: int, pair: Comparison, seeds: list[float]) -> None:
    mark = mark_of(pair)
    for value in seeds:
        put_mark(drawn.axes, value, i - 0.22, SEED, size=4.0)
    if pair.ci_low is not None and pair.ci_high is not None:
        drawn.interval(pair.ci_low, pair.ci_high, i, mark)
    if pair.difference is not None:
        put_mark(drawn.axes, pair.difference, i, mark)


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{value:+.2f}".replace("-", "−")


def _p(value: float | None) -> str:
    return "–" if value is None else "< 0.001" if value < 0.001 else f"{value:.2g}"
