"""A leaderboard -> sentences that say what it shows and what it cannot show."""

from __future__ import annotations

from collections.abc import Sequence

from resbench.evidence.leaderboard import Leaderboard

MOST = 8  # names in a sentence


def notes(board: Leaderboard) -> list[str]:
    """Return the notes under a table: the group of the best, then the words in the table, then the limits of the study."""
    lines = _of_search(board) + _of_design(board) + _of_the_best(board)
    if board.unclaimed:
        lines.append("?: fewer than 3 converged runs; numbers, but no interval and no claim.")
    lines += [f"failed: {row.unit}: {row.failed}" for row in board.rows if row.failed is not None]
    if any(row.ranked.fails for row in board.rows):
        lines.append(
            "fails: under half of the runs converged (a loss that is not finite, or one on the training images that is no "
            "better than a constant answer's)."
        )
    if any(row.ranked.skewed for row in board.rows):
        lines.append("skewed: runs are strongly skewed; the interval covers 86 to 92 %, less than it says.")
    if any(row.ranked.missing and row.ranked.n for row in board.rows):
        lines.append("n shows missing runs as (-k): seeds of the study that have no finished run yet.")
    lines += limits(board)
    lines.append(
        "Means, sd and 95 % intervals are over converged runs; they are about new seeds on this split and data set."
    )
    return lines


def limits(board: Leaderboard) -> list[str]:
    """Return the sentences that limit the claims of this study."""
    lines = []
    if waiting := [row.unit for row in board.rows if row.ranked.n == 0 and row.failed is None]:
        lines.append(
            f"not run: {join_names(waiting)}; the ranking is about the others until `resbench study run` has trained them."
        )
    if board.improving:
        were = "was" if len(board.improving) == 1 else "were"
        lines.append(
            f"still improving: {join_names(board.improving)} {were}, by the training error of the last epochs; the order may "
            f"turn with more epochs."
        )
    if board.unequal:
        lines.append(f"unequal: {'; '.join(board.unequal)}; a difference between them may be one of size.")
    if "train_s" in board.objectives:
        lines.append(
            "train_s: seconds beside whatever else the machine did, other trainings too; params and MACs do not depend on load."
        )
    chance = board.largest_class_error_pct
    if chance is not None and board.objectives[0] == "val_error_pct":
        useless = [row.unit for row in board.rows if row.ranked.mean is not None and row.ranked.mean >= chance]
        if useless:
            lines.append(
                f"no better than the largest class: {join_names(useless)}; always naming it has an error of {chance:.2f} %."
            )
    return lines


def _of_the_best(board: Leaderboard) -> list[str]:
    """Return the claim of the study. Failing units have a separate line."""
    inside = [row.unit for row in board.rows if row.ranked.tied_with_best]
    worse = [row.unit for row in board.rows if row.ranked.tied_with_best is False and not row.ranked.fails]
    verb = "is" if len(worse) == 1 else "are"
    if len(board.objectives) > 1 and inside:
        front = f"front: {join_names(inside)}: no other unit is better in all of {', '.join(board.objectives)} (95 %)"
        return [f"{front}; {join_names(worse)} {verb} not on it." if worse else f"{front}."]
    if len(inside) > 1:
        from_best = f" from the best (95 %); {join_names(worse)} {verb} worse" if worse else " (95 %)"
        return [f"tied: {join_names(inside)} cannot be told apart{from_best}."]
    return [f"best: {inside[0]} is better than {join_names(worse)} (95 %)."] if inside and worse else []


def join_names(names: Sequence[str]) -> str:
    """Join names as a list in a sentence, shortened where there are many.

    >>> join_names(["a", "b", "c"])
    'a, b and c'
    >>> join_names([*"abcdefghijkl"])
    'a, b, c, d, e, f, g, h and 4 more'
    """
    shown = [*names] if len(names) <= MOST + 1 else [*names[:MOST], f"{len(names) - MOST} more"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _of_search(board: Leaderboard) -> list[str]:
    if board.searched is None:
        return []
    return [
        f"finalists of {board.searched.use}, which looked at {board.searched.points} points; the seeds that it chose by are not "
        f"counted here."
    ]


def _of_design(board: Leaderboard) -> list[str]:
    """Return a sentence about the test where it is not a single application of rule 6."""
    verdict = board.verdict
    if verdict is not None and verdict.race is not None:
        replayed = verdict.race
        each = f"race: {replayed.taken} of {replayed.planned} looks taken, each at 5 % / {replayed.planned}; "
        left = [f"{row.unit} at {row.left_at} seeds" for row in board.rows if row.left_at]
        return [each + (f"left out: {', '.join(left)}." if left else "nobody is left out.")]
    if verdict is not None and verdict.anytime:
        return [
            "Seeds were added after a look, without a plan: ranked by a test that holds whenever one looks (an e-process "
            "at 5 %), which claims later than a planned one. `race: true` in a study plans its looks."
        ]
    return []
