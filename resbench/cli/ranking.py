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

WIDTH = 150  # columns of the drawn table
COLUMNS = (">#", "unit", ">error %", ">sd", "95 % interval", ">median", ">n", "best?", ">params", ">MACs", ">train s")
WORDS = {
    "val_error_pct": ("error %", "val error in percent"),
    "val_loss": ("val loss", "val loss in nats"),
    "train_loss": ("train loss", "training loss in nats"),
    "train_s": ("train s", "seconds of training"),
}
IN_TABLE = ("params", "macs", "train_s")  # whatever the objectives are


def ranking_table(board: Leaderboard) -> Group:
    """Sorted by the mean over converged runs; the tie group of the best stands out."""
    rows = [_cells(row, board) for row in board.rows]
    styles = ["bold green" if row.ranked.tied_with_best else "dim" if row.ranked.fails else "" for row in board.rows]
    first, *others = (WORDS.get(name, (name, name)) for name in board.objectives)
    title = f"{board.study}: {first[1]} on {board.data}, lower is better"
    more = [f">{short}" for (short, _), name in zip(others, board.objectives[1:], strict=True) if name not in IN_TABLE]
    table = make_table((*COLUMNS[:2], f">{first[0]}", *COLUMNS[3:], *more), rows, styles=styles, title=title)
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


def notes(board: Leaderboard) -> list[str]:
    """What the table says, in sentences."""
    tied = [row.unit for row in board.rows if row.ranked.tied_with_best]
    left_out = [row.unit for row in board.rows if row.ranked.tied_with_best is False]
    lines = _of_design(board)
    if len(board.objectives) > 1 and tied:
        lines.append(
            f"front: with 95 % confidence no one other unit is better in all of {', '.join(board.objectives)}."
        )
    elif len(tied) > 1:
        lines.append(f"tied: with 95 % confidence no unit as good as the best is left out of {', '.join(tied)}.")
    elif tied and left_out:
        lines.append(f"best: with 95 % confidence none of {', '.join(left_out)} is as good as {tied[0]}.")
    if board.unclaimed:
        lines.append("?: fewer than 3 converged runs; numbers, but no interval and no claim.")
    if any(row.ranked.fails for row in board.rows):
        lines.append(
            "fails: under half of the runs converged (a loss that is not finite, or val error not better than chance)."
        )
    if any(row.ranked.skewed for row in board.rows):
        lines.append("skewed: runs are strongly skewed; the interval covers 86 to 92 %, less than it says.")
    if any(row.ranked.missing for row in board.rows):
        lines.append("n shows missing runs as (-k): seeds of the study that have no finished run yet.")
    lines.append(
        "Means, sd and 95 % t-intervals are over converged runs; they are about new seeds on this split and data set."
    )
    return lines


def _of_design(board: Leaderboard) -> list[str]:
    """What the test was, where it is not rule 6 once."""
    verdict = board.verdict
    if verdict is not None and verdict.race is not None:
        found = verdict.race
        each = f"race: {found.taken} of {found.planned} looks taken, each at 5 % / {found.planned}; "
        left = [f"{row.unit} at {row.left_at} seeds" for row in board.rows if row.left_at]
        return [each + (f"left out: {', '.join(left)}." if left else "nobody is left out.")]
    if verdict is not None and verdict.anytime:
        return [
            "Seeds were added after a look, without a plan: ranked by a test that holds whenever one looks (an e-process "
            "at 5 %), which claims later than a planned one. `race: true` in a study plans its looks."
        ]
    return []


def _cells(row: Row, board: Leaderboard) -> list[object]:
    r = row.ranked
    in_it = "front" if len(board.objectives) > 1 else "tied"
    best = "fails" if r.fails else {True: in_it, False: "", None: "?"}[r.tied_with_best]
    is_error = board.objectives[0] == "val_error_pct"
    digits = 2 if is_error else 4
    more = [
        "–" if each.mean is None else f"{each.mean:.4g}" + (f" ± {each.std:.2g}" if each.std is not None else "")
        for name, each in row.others.items()
        if name not in IN_TABLE
    ]
    n = f"{r.converged}/{r.n}" if r.diverged else str(r.n)
    return [
        r.rank,
        row.name,
        "–"
        if r.mean is None
        else f"{r.mean:.{digits}f}" + (" fail" if is_error and board.fail_above and r.mean > board.fail_above else ""),
        "–" if r.std is None else f"{r.std:.{digits}f}",
        "–" if r.ci_low is None or r.ci_high is None else f"[{r.ci_low:.{digits}f}, {r.ci_high:.{digits}f}]",
        "diverged" if r.median is None else f"{r.median:.{digits}f}",
        n + (f" (-{r.missing})" if r.missing else ""),
        best + (" skewed" if r.skewed else ""),
        count(row.params),
        count(row.macs),
        "–" if row.train_s is None else f"{row.train_s:.1f}",
        *more,
    ]
