"""A leaderboard -> what it says and what it cannot say, in sentences."""

from __future__ import annotations

from resbench.evidence.leaderboard import Leaderboard


def notes(board: Leaderboard) -> list[str]:
    """In the order of the table's words: the group of the best, then what else stands in it."""
    tied = [row.unit for row in board.rows if row.ranked.tied_with_best]
    left_out = [row.unit for row in board.rows if row.ranked.tied_with_best is False and not row.ranked.fails]
    lines = _of_search(board) + _of_design(board)
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


def _of_search(board: Leaderboard) -> list[str]:
    if board.searched is None:
        return []
    return [
        f"finalists of {board.searched.use}, which looked at {board.searched.points} points; the seeds that it chose by are not "
        f"counted here."
    ]


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
