"""Leaderboard -> the words and numbers of its table, for a terminal and for a notebook."""

from __future__ import annotations

from resbench.drawing.format import count
from resbench.evidence.leaderboard import Leaderboard, Row
from resbench.language.study.design import WORDS

COLUMNS = (">#", "unit", ">error %", ">sd", "95 % interval", ">median", ">n", "best?", ">params", ">MACs", ">train s")
IN_TABLE = ("params", "macs", "train_s")  # whatever the objectives are


def title(board: Leaderboard) -> str:
    return f"{board.study}: {WORDS[board.objectives[0]].long} on {board.data}, lower is better"


def columns(board: Leaderboard) -> list[str]:
    """`>`: aligned to the right."""
    first, *others = (WORDS[name].short for name in board.objectives)
    more = [f">{short}" for short, name in zip(others, board.objectives[1:], strict=True) if name not in IN_TABLE]
    return [*COLUMNS[:2], f">{first}", *COLUMNS[3:], *more]


def cells(row: Row, board: Leaderboard) -> list[object]:
    """Return a row of the table, a value for each of `columns`."""
    r = row.ranked
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
        "–" if not r.n else "diverged" if r.median is None else f"{r.median:.{digits}f}",
        n + (f" (-{r.missing})" if r.missing else ""),
        board.verdict_on(row) + (" skewed" if r.skewed else ""),
        count(row.params),
        count(row.macs),
        "–" if row.train_s is None else f"{row.train_s:.1f}",
        *more,
    ]
