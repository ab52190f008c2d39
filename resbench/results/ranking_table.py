"""Leaderboard -> the table of its ranking: columns and cells, which a terminal, a report and an exported file all render."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from resbench.drawing.format import count
from resbench.language.study.design import WORDS

if TYPE_CHECKING:  # the command line reads the columns, and no database
    from resbench.evidence.leaderboard import Leaderboard, Row, Summary


@dataclass(frozen=True, slots=True)
class RankingColumn:
    """A column of a ranking.

    Attributes:
        key: The name by which it is asked for.
        head: What stands above it.
        is_number: Whether it is aligned to the right.
    """

    key: str
    head: str
    is_number: bool = True

    @property
    def aligned_head(self) -> str:
        """Return the head as tables take it: `>` in front aligns to the right."""
        return f">{self.head}" if self.is_number else self.head


@dataclass(frozen=True, slots=True)
class RankingCell:
    """A cell of a ranking.

    Attributes:
        text: What it shows.
        value: The number that it sorts by; None: it sorts by its text.
        exact: What it shows where there is room for every digit; empty: `text`.
    """

    text: str
    value: float | None = None
    exact: str = ""


COLUMNS = (
    RankingColumn("rank", "#"),
    RankingColumn("unit", "unit", is_number=False),
    RankingColumn("error", "error %"),
    RankingColumn("sd", "sd"),
    RankingColumn("interval", "95 % interval", is_number=False),
    RankingColumn("median", "median"),
    RankingColumn("n", "n"),
    RankingColumn("best", "best?", is_number=False),
    RankingColumn("params", "params"),
    RankingColumn("macs", "MACs"),
    RankingColumn("train_s", "train s"),
)
"""Of every ranking; `error` is the first objective, whose head says what it is."""


def ranking_title(board: Leaderboard) -> str:
    """Return what stands above the table."""
    return f"{board.study}: {WORDS[board.objectives[0]].long} on {board.data}, lower is better"


def ranking_columns(board: Leaderboard) -> list[RankingColumn]:
    """Return the columns of this ranking: those of every ranking, and its further objectives."""
    first = RankingColumn("error", WORDS[board.objectives[0]].short)
    own = [first if column.key == "error" else column for column in COLUMNS]
    return [*own, *(RankingColumn(name, WORDS[name].short) for name in _further(board))]


def _further(board: Leaderboard) -> list[str]:
    """Objectives beside the first that have no column in every ranking."""
    return [name for name in board.objectives[1:] if all(name != column.key for column in COLUMNS)]


def ranking_cells(row: Row, board: Leaderboard) -> list[RankingCell]:
    """Return a row of the table, one cell for each of `ranking_columns`."""
    r = row.ranked
    is_error = board.objectives[0] == "val_error_pct"
    digits = 2 if is_error else 4
    fails = " fail" if is_error and board.fail_above and r.mean is not None and r.mean > board.fail_above else ""
    has_interval = r.ci_low is not None and r.ci_high is not None
    median = "–" if not r.n else "diverged" if r.median is None else f"{r.median:.{digits}f}"
    n = f"{r.converged}/{r.n}" if r.diverged else str(r.n)
    return [
        RankingCell(str(r.rank), r.rank),
        RankingCell(row.name),
        RankingCell("–" if r.mean is None else f"{r.mean:.{digits}f}{fails}", r.mean),
        RankingCell("–" if r.std is None else f"{r.std:.{digits}f}", r.std),
        RankingCell(f"[{r.ci_low:.{digits}f}, {r.ci_high:.{digits}f}]" if has_interval else "–", r.ci_low),
        RankingCell(median, r.median),
        RankingCell(n + (f" (-{r.missing})" if r.missing else ""), r.converged),
        RankingCell(board.verdict_on(row) + (" skewed" if r.skewed else "")),
        _count(row.params),
        _count(row.macs),
        RankingCell("–" if row.train_s is None else f"{row.train_s:.1f}", row.train_s),
        *(_summary(row.others[name]) for name in _further(board)),
    ]


def _count(number: int | None) -> RankingCell:
    return RankingCell(count(number), number, "–" if number is None else f"{number:,}")


def _summary(objective: Summary) -> RankingCell:
    if objective.mean is None:
        return RankingCell("–")
    spread = f" ± {objective.std:.2g}" if objective.std is not None else ""
    return RankingCell(f"{objective.mean:.4g}{spread}", objective.mean)
