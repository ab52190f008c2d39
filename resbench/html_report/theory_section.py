"""A study in a database -> the table of its units' identity paths: predicted from the graphs, and measured in the runs.

He et al. 2016, arXiv:1603.05027: where h and f are identities, signal and gradient reach every unit unchanged.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log
from statistics import fmean

from resbench.compiler.identity.serialize import from_json
from resbench.html_report.tables import ReportTable, TableCell, anchor_of
from resbench.results.study_results import StudyResults, UnitResults
from resbench.store.open import Engine
from resbench.store.records import ProfileRecord
from resbench.store.results.catalogue import get_architecture
from resbench.store.results.profiles import profiles_of_study

CAPTION = (
    "The identity path of each unit, in the order of the ranking. From the graph: the equation, the shortcut h, the function f "
    "after the sum, the factor of x_0 that remains after all units (without ReLUs; gates, gains and dropout as initialised, on "
    "average), and whether Eq. 4 and 5 of He et al. 2016 (x_L = x_l + ΣF, and its counterpart for the gradient) hold."
)
SINGLE = (
    " At this depth some networks have no two equal units in a stage: there a first unit or a transition is analysed."
)
MEASURED = (
    " Measured, at the start of the runs ({n} seeds, geometric means): the gradient at the first unit over that at the last, and "
    "the share of the gradient that comes through the shortcut h."
)


def paths_table(engine: Engine, results: StudyResults) -> ReportTable | None:
    """Return the table of identity paths; None where no unit can be analysed (an op of a missing plugin)."""
    profiles = profiles_of_study(engine, results.board.study)
    identity_report = [
        row for unit in results.units if (row := _row(engine, unit, profiles.get(unit.row.unit, ()))) is not None
    ]
    if not identity_report:
        return None
    rows, caption = (
        [row for row, _ in identity_report],
        CAPTION + (SINGLE if any(single for _, single in identity_report) else ""),
    )
    head = ("unit", f">{results.words.short}", "equation", "h", "f", ">left of x_0", "Eq. 4, 5")
    seeds = {record.seed for records in profiles.values() for record in records if record.epoch == 0}
    if seeds:
        return ReportTable(
            caption + MEASURED.format(n=len(seeds)), (*head, ">gradient, first / last", ">through h %"), tuple(rows)
        )
    return ReportTable(caption, head, tuple(row[: len(head)] for row in rows))


def _row(
    engine: Engine, unit: UnitResults, profiles: Sequence[ProfileRecord]
) -> tuple[tuple[TableCell, ...], bool] | None:
    """Return the cells of a unit, and whether they were derived from a single unit; None where it cannot be analysed."""
    try:
        from resbench.theory.identity_report import identity_report

        one = identity_report(from_json(get_architecture(engine, unit.row.digest).spec))
    except Exception:  # an op of a plugin may raise anything, or be missing; the rest of the report is still written
        return None
    left = "–" if one.remaining_factor is None else f"{one.remaining_factor:.2g}"
    ratio, share = _measured([record for record in profiles if record.epoch == 0])
    mean = unit.row.ranked.mean
    cells = (
        TableCell(unit.shown.name, anchor=anchor_of(unit)), TableCell("–" if mean is None else f"{mean:.2f}", mean),
        TableCell(one.equation),
        TableCell(one.short[0]), TableCell(one.short[1]), TableCell(left, one.remaining_factor),
        TableCell("hold" if one.predicted["4"] else "do not"),
        TableCell("–" if ratio is None else f"{ratio:.3g}", ratio), TableCell("–" if share is None else f"{share:.0f}", share),
    )  # fmt: skip
    return cells, one.per_stage == 1


def _measured(records: Sequence[ProfileRecord]) -> tuple[float | None, float | None]:
    last = max((record.unit for record in records), default=0)
    ends = [_mean([r.gradient_norm for r in records if r.unit == unit]) for unit in (0, last)]
    shares = [record.shortcut_pct for record in records if record.shortcut_pct is not None]
    ratio = ends[0] / ends[1] if ends[0] is not None and ends[1] else None
    return ratio, fmean(shares) if shares else None


def _mean(values: Sequence[float | None]) -> float | None:
    there = [log(value) for value in values if value is not None and value > 0]
    return exp(fmean(there)) if there else None
