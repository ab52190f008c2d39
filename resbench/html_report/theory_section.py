"""A study in the database -> the sheet of its units' identity paths: what the graphs say, and what was measured in the runs.

He et al. 2016, arXiv:1603.05027: where h and f are identities, signal and gradient reach every unit whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log
from statistics import fmean

from resbench.compiler.identity.serialize import from_json
from resbench.html_report.tables import Sheet, TableCell, anchor_of
from resbench.results.study_results import Found, Measured
from resbench.store.open import Engine
from resbench.store.records import ProfileRecord
from resbench.store.results.catalogue import get_architecture
from resbench.store.results.profiles import profiles_of_study

CAPTION = (
    "The identity path of each unit, in the order of the ranking. From the graph: the equation, what the shortcut h and what "
    "stands behind the sum f do, what is left of x_0 after all units (ReLUs aside; gates, gains and dropout at the start, on "
    "average), and whether Eq. 4 and 5 of He et al. 2016 (x_L = x_l + ΣF, and the same of the gradient) hold."
)
SINGLE = " At this depth some have no two units of a stage that are alike: there a first unit or a transition is read."
MEASURED = (
    " Measured, at the start of the runs ({n} seeds, geometric means): the gradient at the first unit over that at the last, and "
    "the share of the gradient that comes through the shortcut h."
)


def paths_sheet(engine: Engine, found: Found) -> Sheet | None:
    """None where nothing can be read of any unit (an op of a plugin that is not here)."""
    taken = profiles_of_study(engine, found.board.study)
    read = [row for unit in found.units if (row := _row(engine, unit, taken.get(unit.row.unit, ()))) is not None]
    if not read:
        return None
    rows, caption = [row for row, _ in read], CAPTION + (SINGLE if any(single for _, single in read) else "")
    head = ("unit", f">{found.words.short}", "equation", "h", "f", ">left of x_0", "Eq. 4, 5")
    seeds = {record.seed for records in taken.values() for record in records if record.epoch == 0}
    if seeds:
        return Sheet(
            caption + MEASURED.format(n=len(seeds)), (*head, ">gradient, first / last", ">through h %"), tuple(rows)
        )
    return Sheet(caption, head, tuple(row[: len(head)] for row in rows))


def _row(engine: Engine, unit: Measured, taken: Sequence[ProfileRecord]) -> tuple[tuple[TableCell, ...], bool] | None:
    """Its cells, and whether it was read from a single unit."""
    try:
        from resbench.theory.reading import read

        one = read(from_json(get_architecture(engine, unit.row.digest).spec))
    except Exception:  # an op of a plugin may raise anything, or not be there; the rest of the report stands
        return None
    left = "–" if one.left is None else f"{one.left:.2g}"
    ratio, share = _measured([record for record in taken if record.epoch == 0])
    mean = unit.row.ranked.mean
    cells = (
        TableCell(unit.row.name, anchor=anchor_of(unit)), TableCell("–" if mean is None else f"{mean:.2f}", mean),
        TableCell(one.equation), TableCell(one.short[0]), TableCell(one.short[1]), TableCell(left, one.left),
        TableCell("hold" if one.foretold["4"] else "do not"),
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
