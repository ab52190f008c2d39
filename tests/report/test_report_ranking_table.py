"""One table of a ranking: a terminal, a report and an exported file show the same columns and numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from resbench.cli.results.export import _text_table
from resbench.cli.results.ranking import ranking_table
from resbench.evidence.leaderboard import Leaderboard, Row, Summary
from resbench.html_report.tables import ranking_table as report_table
from resbench.results.ranking_table import COLUMNS, ranking_cells, ranking_columns
from resbench.results.study_results import StudyResults, UnitResults
from resbench.statistics.ranking import Ranked
from resbench.store.results.stored import StoredStudy

FIRST = Row(
    Ranked(1, "plain", 5, 4, 1, 1, 0.25, 0.2, 0.01, -0.1, 0.5, True, False, True),
    "plain", (), "a2_x", 853_018, 40_551_040, 12.34, None,
    {"params": Summary(853_018, None, None, None), "train_loss": Summary(0.125, 0.01, None, None)}, None,
)  # fmt: skip
LAST = Row(
    Ranked(2, "gated", 0, 0, 0, 5, None, None, None, None, None, None, False, False),
    "gated", (), "a2_y", 12, None, None, None,
    {"params": Summary(12, None, None, None), "train_loss": Summary(None, None, None, None)}, None,
)  # fmt: skip
BOARD = Leaderboard("s", "digits", 340, (FIRST, LAST), None, ("val_loss", "params", "train_loss"))
HEADS = [
    "#",
    "unit",
    "val loss",
    "sd",
    "95 % interval",
    "median",
    "n",
    "best?",
    "params",
    "MACs",
    "train s",
    "train loss",
]
CELLS = [
    ["1", "plain", "0.2000", "0.0100", "[-0.1000, 0.5000]", "0.2500", "4/5 (-1)", "front skewed", "853k", "40.6M", "12.3",
     "0.125 ± 0.01"],
    ["2", "gated", "–", "–", "–", "–", "0 (-5)", "not run", "12", "–", "–", "–"],
]  # fmt: skip


@pytest.fixture
def found() -> StudyResults:
    units = tuple(UnitResults(row, row, ()) for row in BOARD.rows)
    return StudyResults(BOARD, units, (), StoredStudy(), {}, None)  # type: ignore[arg-type]


def test_the_terminal() -> None:
    table = ranking_table(BOARD).renderables[0]
    assert [str(column.header) for column in table.columns] == HEADS  # type: ignore[union-attr]
    rows = zip(*([str(cell) for cell in column.cells] for column in table.columns), strict=True)  # type: ignore[union-attr]
    assert [list(row) for row in rows] == CELLS


def test_the_file() -> None:
    table = _text_table(BOARD, ())
    assert [head.removeprefix(">") for head in table.columns] == HEADS
    assert [list(row) for row in table.rows] == CELLS
    assert _text_table(BOARD, ("unit", "train_loss")).rows == (("plain", "0.125 ± 0.01"), ("gated", "–"))


def test_the_report(found: StudyResults) -> None:
    """It has further objectives too, a true minus, every digit of a count, and says what the numbers are."""
    sheet = report_table(found)
    assert [head.removeprefix(">") for head in sheet.head] == HEADS
    shown = [[cell.text for cell in row] for row in sheet.rows]
    own = [[text.replace("[-", "[−") for text in row] for row in CELLS]
    own[0][8:10] = ["853,018", "40,551,040"]
    assert shown == own
    assert [cell.key for cell in sheet.rows[0]] == [
        1, None, 0.2, 0.01, -0.1, 0.25, 4, None, 853_018, 40_551_040, 12.34, 0.125
    ]  # fmt: skip
    assert [cell.anchor for cell in sheet.rows[0]] == ["", "unit-1", *[""] * 10]
    assert sheet.caption.startswith("Val loss in nats, lower is better; marked: ")


def test_an_error_rate_has_two_digits_and_a_word_for_failing() -> None:
    board = replace(BOARD, objectives=("val_error_pct",), fail_above=0.1)
    assert [column.head for column in ranking_columns(board)] == [column.head for column in COLUMNS]
    cells = [cell.text for cell in ranking_cells(replace(FIRST, others={}), board)]
    assert cells[2:6] == ["0.20 fail", "0.01", "[-0.10, 0.50]", "0.25"]
    assert len(cells) == len(COLUMNS)
