"""Leaderboard -> the table of a ranking, with what it says and what it cannot say."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path

from rich.console import Console, Group
from rich.text import Text

from resbench.cli.show import make_table
from resbench.escape import LONGEST, printable, shell_line
from resbench.evidence.leaderboard import Leaderboard
from resbench.evidence.notes import notes
from resbench.files import write
from resbench.report.ranking_cells import cells, columns, title

WIDTH = 150  # columns of the drawn table


def ranking_table(board: Leaderboard) -> Group:
    """Sorted by the mean over converged runs; the tie group of the best stands out."""
    rows = [cells(row, board) for row in board.rows]
    styles = [
        "bold green" if row.ranked.tied_with_best else "dim" if row.ranked.fails or not row.ranked.n else ""
        for row in board.rows
    ]
    table = make_table(columns(board), rows, styles=styles, title=title(board))
    return Group(table, *(Text(printable(line, LONGEST)) for line in notes(board)))


def draw_ranking(board: Leaderboard, file: str, *, force: bool = False) -> None:
    """The table as an SVG of a terminal; no font is loaded from anywhere. Raises as `files.write` does."""
    terminal = Console(record=True, file=StringIO(), width=WIDTH, highlight=False)
    terminal.print(ranking_table(board))
    picture = terminal.export_svg(title=printable(shell_line(["resbench", "results", "top", board.study]), LONGEST))
    picture = re.sub(r"@font-face \{.*?\}", "", picture, flags=re.DOTALL)
    write(Path(file), picture.replace("Fira Code", "ui-monospace, Menlo, Consolas").encode(), force=force)
