"""Leaderboard -> what its table says and what it cannot say, in sentences: under the ranking, in the report, in the dashboard."""

from __future__ import annotations

from resbench.evidence.leaderboard import Leaderboard


def notes(board: Leaderboard) -> list[str]:
    """What the table says, in sentences."""
    tied = [row.unit for row in board.rows if row.ranked.tied_with_best]
    left_out = [row.unit for row in board.rows if row.ranked.tied_with_best is False]
    lines = []
    if len(tied) > 1:
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
