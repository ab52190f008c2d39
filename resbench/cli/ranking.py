"""Leaderboard -> the table of a ranking, with what it says and what it cannot say."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path

from rich.console import Console, Group
from rich.text import Text

from resbench.cli.show import count, make_table
from resbench.errors import StorageError
from resbench.evidence.leaderboard import Leaderboard, Row
from resbench.evidence.notes import notes

WIDTH = 150  # columns of the drawn table
COLUMNS = (">#", "unit", ">error %", ">sd", "95 % interval", ">median", ">n", "best?", ">params", ">MACs", ">train s")


def ranking_table(board: Leaderboard) -> Group:
    """Sorted by the mean over converged runs; the tie group of the best stands out."""
    rows = [_cells(row, board) for row in board.rows]
    styles = ["bold green" if row.ranked.tied_with_best else "dim" if row.ranked.fails else "" for row in board.rows]
    title = f"{board.study}: val error in percent on {board.data}, lower is better"
    table = make_table(COLUMNS, rows, styles=styles, title=title)
    return Group(table, *(Text(line) for line in notes(board)))


def draw_ranking(board: Leaderboard, file: str) -> None:
    """The table as an SVG of a terminal; no font is loaded from anywhere. Raises StorageError where it cannot be written."""
    terminal = Console(record=True, file=StringIO(), width=WIDTH, highlight=False)
    terminal.print(ranking_table(board))
    picture = terminal.export_svg(title=f"resbench results top {board.study}")
    picture = re.sub(r"@font-face \{.*?\}", "", picture, flags=re.DOTALL)
    try:
        Path(file).write_text(picture.replace("Fira Code", "ui-monospace, Menlo, Consolas"), encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{file}: cannot be written: {error.strerror}") from None


def _cells(row: Row, board: Leaderboard) -> list[object]:
    r = row.ranked
    best = "fails" if r.fails else {True: "tied", False: "", None: "?"}[r.tied_with_best]
    n = f"{r.converged}/{r.n}" if r.diverged else str(r.n)
    return [
        r.rank,
        row.name,
        "–"
        if r.mean is None
        else f"{r.mean:.2f}" + (" fail" if board.fail_above and r.mean > board.fail_above else ""),
        "–" if r.std is None else f"{r.std:.2f}",
        "–" if r.ci_low is None or r.ci_high is None else f"[{r.ci_low:.2f}, {r.ci_high:.2f}]",
        "diverged" if r.median is None else f"{r.median:.2f}",
        n + (f" (-{r.missing})" if r.missing else ""),
        best + (" skewed" if r.skewed else ""),
        count(row.params),
        count(row.macs),
        "–" if row.train_s is None else f"{row.train_s:.1f}",
    ]
