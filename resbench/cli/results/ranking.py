"""Leaderboard -> its ranking on a terminal, or drawn as one, with what it says and what it cannot say."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path

from rich.console import Console, Group
from rich.text import Text

from resbench.cli.output import make_table
from resbench.escape import LONGEST, printable, shell_line
from resbench.evidence.leaderboard import Leaderboard
from resbench.evidence.notes import notes
from resbench.files import write
from resbench.results.ranking_table import ranking_cells, ranking_columns, ranking_title

WIDTH = 150  # columns of the drawn table


def ranking_table(board: Leaderboard) -> Group:
    """Return the table, sorted by the mean over converged runs; the tie group of the best stands out."""
    rows = [[cell.text for cell in ranking_cells(row, board)] for row in board.rows]
    styles = [
        "bold green" if row.ranked.tied_with_best else "dim" if row.ranked.fails or not row.ranked.n else ""
        for row in board.rows
    ]
    heads = [column.aligned_head for column in ranking_columns(board)]
    table = make_table(heads, rows, styles=styles, title=ranking_title(board))
    return Group(table, *(Text(printable(line, LONGEST)) for line in notes(board)))


def draw_ranking(board: Leaderboard, file: str, *, force: bool = False) -> None:
    """Draw the table as an SVG of a terminal; no font is loaded from anywhere. Raises as `files.write` does."""
    terminal = Console(record=True, file=StringIO(), width=WIDTH, highlight=False)
    terminal.print(ranking_table(board))
    picture = terminal.export_svg(title=printable(shell_line(["resbench", "results", "top", board.study]), LONGEST))
    picture = re.sub(r"@font-face \{.*?\}", "", picture, flags=re.DOTALL)
    write(Path(file), picture.replace("Fira Code", "ui-monospace, Menlo, Consolas").encode(), force=force)
