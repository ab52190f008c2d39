"""The attempts at a cell -> whether it is tried again after one that ended badly.

An attempt that got further than all before it starts the count anew, so that a cell on machines that die goes on for ever, and
one that kills whoever trains it does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from resbench.store.records import Attempt, Ending

# How many attempts in a row that got no further may end so, before the cell fails. What is not named fails at once.
ATTEMPTS: Final = {"oom": 2, "crash": 2, "stalled": 2, "killed": 5, "lost": 20}


def after(attempts: Sequence[Attempt], kind: str, error: str, reached: int) -> Ending:
    """The end of the newest attempt, which reached so many epochs. `attempts`: all, the newest last.

    >>> after([], "error", "ZeroDivisionError", 3).outcome
    'failed'
    """
    before = [attempt for attempt in attempts[:-1] if attempt.outcome not in ("running", "given_back")]
    furthest = max((attempt.reached for attempt in before), default=-1)
    in_a_row = 1
    if reached <= furthest:
        for attempt in reversed(before):
            earlier = [other.reached for other in before if other.token < attempt.token]
            in_a_row += attempt.kind == kind
            if attempt.reached > max(earlier, default=-1):  # it got further, so the count begins with it
                break
    allowed = ATTEMPTS.get(kind, 1)
    if in_a_row < allowed:
        return Ending("retry", kind, error, reached)
    told = error if allowed == 1 else f"{error}; {in_a_row} attempts that got no further ended so"
    return Ending("failed", kind, told, reached)
