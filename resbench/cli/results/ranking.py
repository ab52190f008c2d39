"""Leaderboard -> the table of a ranking, with notes on what it does and does not show."""

from __future__ import annotations

import re
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

from rich.console import Console, Group
from rich.text import Text

from resbench.cli.output import make_table, table_width
from resbench.escape import LONGEST, printable, shell_line
from resbench.evidence.leaderboard import Leaderboard
from resbench.evidence.notes import notes
from resbench.files import write
from resbench.results.ranking_table import RankingColumn, ranking_cells, ranking_columns, ranking_title

WIDTH = 150  # columns of the drawn table
DROPPED = ("train_s", "median", "macs", "params", "sd")
"""Columns that are dropped in a narrow terminal, in this order, unless they are objectives. The columns that a claim needs stay:
mean, interval, n and the verdict."""


def ranking_table(board: Leaderboard, width: int | None = None) -> Group:
    """Return the ranking, sorted by the mean over converged runs, with the tie group of the best in bold.

    `width` is that of the terminal: columns are dropped until the units' names fit, and only then are names folded.
    """
    board = board.shortened()
    rows = [[cell.text for cell in ranking_cells(row, board)] for row in board.rows]
    styles = [
        "bold green" if row.ranked.tied_with_best else "dim" if row.ranked.fails or not row.ranked.n else ""
        for row in board.rows
    ]
    columns = ranking_columns(board)
    kept = [*range(len(columns))] if width is None else _fitting(columns, rows, board.objectives, width)
    shown = [[row[i] for i in kept] for row in rows]
    heads = [columns[i].aligned_head for i in kept]
    table = make_table(heads, shown, styles=styles, title=ranking_title(board), folded="unit", width=width)
    lines = notes(board)
    if len(kept) < len(columns):
        left = ", ".join(column.head for i, column in enumerate(columns) if i not in kept)
        lines.append(f"Not shown in {width} columns: {left}; use a wider terminal, a pipe or --json.")
    return Group(table, *(Text(printable(line, LONGEST)) for line in lines))


def _fitting(columns: list[RankingColumn], rows: list[list[str]], objectives: Sequence[str], width: int) -> list[int]:
    """Return the indices of the columns that are shown: those that fit, and those that may not be dropped."""
    heads, kept = [column.aligned_head for column in columns], [*range(len(columns))]
    for key in DROPPED:
        if table_width(heads, rows, kept) <= width:
            break
        if key not in objectives:
            kept = [i for i in kept if columns[i].key != key]
    return kept


def draw_ranking(board: Leaderboard, file: str, *, force: bool = False) -> None:
    """Write the table as an SVG of a terminal, which loads no font. Raises as `files.write` does."""
    terminal = Console(record=True, file=StringIO(), width=WIDTH, highlight=False)
    terminal.print(ranking_table(board))
    picture = terminal.export_svg(title=printable(shell_line(["resbench", "results", "top", board.study]), LONGEST))
    picture = re.sub(r"@font-face \{.*?\}", "", picture, flags=re.DOTALL)
    write(Path(file), picture.replace("Fira Code", "ui-monospace, Menlo, Consolas").encode(), force=force)
