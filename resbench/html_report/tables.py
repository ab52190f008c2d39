"""StudyResults -> the tables of the report: ranking, differences from the best, every run. A cell has a text and a sort key."""

from __future__ import annotations

from dataclasses import dataclass

from resbench.errors import BadInput
from resbench.evidence.leaderboard import Leaderboard
from resbench.results.ranking_table import ranking_cells, ranking_columns
from resbench.results.study_results import StudyResults, UnitResults
from resbench.statistics.comparison import Comparison
from resbench.store.results.reading import StudyRun

SIGNED = ("error", "sd", "interval", "median")  # columns of the ranking whose numbers may be below 0


@dataclass(frozen=True, slots=True)
class TableCell:
    """A cell with its text and its sort key: a number, or the text itself where `key` is None. `anchor` is the link's target."""

    text: str
    key: float | None = None
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class ReportTable:
    """A sortable table. A column whose name starts with `>` holds numbers. `marked` holds the indices of highlighted rows."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[TableCell, ...], ...]
    marked: frozenset[int] = frozenset()


def anchor_of(unit: UnitResults) -> str:
    """Return the anchor of the unit's section of the page."""
    return f"unit-{unit.row.ranked.rank}"


def ranking_table(results: StudyResults) -> ReportTable:
    """Return the ranking, whose rows lead to the units' own parts of the page."""
    board = results.board.shortened()
    head = tuple(column.aligned_head for column in ranking_columns(board))
    rows = tuple(_ranked(unit, board) for unit in results.units)
    marked = frozenset(i for i, unit in enumerate(results.units) if unit.row.ranked.tied_with_best)
    several = len(board.objectives) > 1
    what = "no other unit is shown to be better in all objectives" if several else "the tie group of the best"
    title = results.words.long
    return ReportTable(f"{title[0].upper()}{title[1:]}, lower is better; marked: {what}.", head, rows, marked)


def _ranked(unit: UnitResults, board: Leaderboard) -> tuple[TableCell, ...]:
    cells = zip(ranking_columns(board), ranking_cells(unit.shown, board), strict=True)
    return tuple(
        TableCell(
            _with_minus(cell.text) if column.key in SIGNED else cell.exact or cell.text,
            cell.value,
            anchor_of(unit) if column.key == "unit" else "",
        )
        for column, cell in cells
    )


def _with_minus(text: str) -> str:
    return text.replace("-", "−")


def _number(value: float | None, form: str = ".2f") -> TableCell:
    return TableCell("–" if value is None else format(value, form).replace("-", "−"), value)


def differences_table(results: StudyResults) -> ReportTable | None:
    """Return the differences from the best; None where there is nothing to compare."""
    try:
        rows = results.against_best()
    except BadInput:
        return None
    assert results.best is not None
    head = ("unit", ">difference", "95 % interval", ">in sds", ">p", ">p (Holm)", "n", "different?")
    caption = f"Each unit minus {results.best.shown.name}, in {results.words.unit}: above 0 it is worse."
    return ReportTable(caption, head, tuple(_difference(unit, pair) for unit, pair in rows))


def _difference(unit: UnitResults, pair: Comparison) -> tuple[TableCell, ...]:
    interval = "–" if pair.ci_low is None or pair.ci_high is None else f"[{pair.ci_low:+.2f}, {pair.ci_high:+.2f}]"
    verdict = {True: "yes", False: "not shown", None: "no test"}[pair.claim]
    return (
        TableCell(unit.shown.name), _number(pair.difference, "+.2f"), TableCell(interval.replace("-", "−"), pair.ci_low),
        _number(pair.effect_sd, "+.1f"), _number(pair.p, ".2g"), _number(pair.p_holm, ".2g"),
        TableCell(f"{pair.n_a} / {pair.n_b}"), TableCell(verdict),
    )  # fmt: skip


def runs_table(results: StudyResults) -> ReportTable:
    head = (
        "unit",
        ">seed",
        "status",
        ">val error %",
        ">val loss",
        ">train loss",
        ">epochs",
        ">train s",
        ">wall s",
        ">run",
        "made",
    )
    rows = tuple(_run(unit, run) for unit in results.units for run in unit.runs)
    return ReportTable("Every finished run; resbench results show RUN lists its epochs.", head, rows)


def _run(unit: UnitResults, run: StudyRun) -> tuple[TableCell, ...]:
    return (
        TableCell(unit.shown.unit), TableCell(str(run.seed), run.seed), TableCell(run.status), _number(run.val_error_pct),
        _number(run.val_loss, ".4f"), _number(run.train_loss, ".4f"), TableCell(str(run.epochs), run.epochs),
        _number(run.train_s, ".1f"), _number(run.wall_s, ".1f"), TableCell(str(run.run_id), run.run_id),
        TableCell(run.created_at),
    )  # fmt: skip
