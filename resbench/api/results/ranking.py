"""A study in the database -> Ranking: rows for a program, a table with its notes for a notebook."""

from __future__ import annotations

from dataclasses import dataclass

from resbench.evidence.leaderboard import Leaderboard
from resbench.evidence.notes import notes
from resbench.results.html import html_table
from resbench.results.ranking_table import ranking_cells, ranking_columns, ranking_title
from resbench.results.rows import Rows


@dataclass(frozen=True, slots=True)
class Ranking(Rows):
    """The ranking of a study, best first: rows as `resbench results top STUDY --json` prints them. Notebooks show its table."""

    board: Leaderboard | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """What the ranking shows, and what it does not show."""
        return () if self.board is None else tuple(notes(self.board))

    def _repr_html_(self) -> str:
        """Return the table with its notes, for a notebook."""
        board = self.board
        if board is None:
            return html_table(self.columns, self.values)
        board = board.shortened()
        head = [column.head for column in ranking_columns(board)]
        rows = [[cell.text for cell in ranking_cells(row, board)] for row in board.rows]
        return html_table(head, rows, title=ranking_title(board), notes=notes(board))
