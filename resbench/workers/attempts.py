"""How an attempt at a cell ended -> what that means for the cell: done, failed, given back, or tried again.

An attempt that got further than all before it starts the count again, so that a cell on machines that die goes on for ever, and
one that kills whoever trains it does not.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Collection, Sequence
from typing import Final

from resbench.errors import BadInput, DatabaseError, PluginError, ResbenchError, StorageError
from resbench.store.connection.retry import Patience
from resbench.store.open import Engine
from resbench.store.queue.cells import attempts_at, end_attempt, running_cells
from resbench.store.queue.workers import worker_by_name
from resbench.store.records import Attempt, Cell, Ending
from resbench.workers.child import AttemptEnd
from resbench.workers.events import WorkerEvents
from resbench.workers.processes import is_gone
from resbench.workers.shutdown import Shutdown

# How many attempts in a row that got no further may end so, before the cell fails. What is not named fails at once.
ATTEMPTS: Final = {"oom": 2, "crash": 2, "stalled": 2, "killed": 5, "lost": 20}
ALIKE = 5  # cells in a row that a plugin fails in the same way: the study stops
_OF_THE_WORKER: dict[str, type[ResbenchError]] = {
    "unfit": BadInput, "database": DatabaseError, "storage": StorageError
}  # fmt: skip


def ending_after(attempts: Sequence[Attempt], kind: str, error: str, reached: int) -> Ending:
    """Decide how the newest attempt, which reached so many epochs, ends: `retry` or `failed`.

    Args:
        attempts: All at the cell, the newest last.
        kind: How it ended.
        error: Why.
        reached: Epochs that its seeds had behind them, all together.

    >>> ending_after([], "error", "ZeroDivisionError", 3).outcome
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
    message = error if allowed == 1 else f"{error}; {in_a_row} attempts that got no further ended so"
    return Ending("failed", kind, message, reached)


def raise_for_worker(end: AttemptEnd) -> None:
    """Raise what keeps this worker from training any cell."""
    error = _OF_THE_WORKER.get(end.kind or "")
    if error is not None:
        raise error(end.error)


def worker_patience(events: WorkerEvents, shutdown: Shutdown) -> Patience:
    """Return a worker's patience: it reports what it waits for, and a request to stop ends the wait."""
    return Patience(note=lambda text: events.note(0, text), stopped=lambda: bool(shutdown.requested))


class AttemptRecorder:
    """Records how the attempts of one worker end. `cells`: closed so far."""

    def __init__(self, engine: Engine, events: WorkerEvents, patience: Patience) -> None:
        self.engine, self.events, self.patience = engine, events, patience
        self.cells = 0
        self.signatures: deque[str] = deque(maxlen=ALIKE)

    def record(self, cell: Cell, end: AttemptEnd, reached: int) -> Ending | None:
        """Write the end of an attempt and report it. Returns None where the cell is another worker's by now.

        Raises what keeps this worker from training, and PluginError where a plugin fails one cell after another.
        """
        ending = self.patience.do(lambda: _end(self.engine, cell, end, reached))
        if ending is None:
            self.events.note(
                cell.trial_id, "its cell was taken over by another worker; what was trained here is dropped"
            )
        elif ending.outcome == "retry":
            self.events.note(cell.trial_id, f"{end.summary}; it is tried again")
        elif end.kind == "unfit":
            self.events.note(cell.trial_id, "this machine cannot train its cell, which is given back")
        elif ending.outcome != "given_back":
            self.cells += 1
            self.events.ended(cell.trial_id, None if ending.outcome == "done" else end.summary)
        raise_for_worker(end)
        self.signatures.append(end.summary if end.kind == "plugin" else "")
        if end.kind == "plugin" and len(self.signatures) == ALIKE and len(set(self.signatures)) == 1:
            raise PluginError(f"{end.summary} ({ALIKE} cells in a row; the study stops)")
        return ending


def _end(engine: Engine, cell: Cell, end: AttemptEnd, reached: int) -> Ending | None:
    if end.kind == "fenced":
        return None
    if end.kind is None:
        ending = Ending("done", reached=reached)
    elif end.kind == "stopped" or end.kind in _OF_THE_WORKER:
        ending = Ending("given_back", end.kind, end.error, reached)
    else:
        ending = ending_after(attempts_at(engine, cell.id), end.kind, end.error, reached)
    return ending if end_attempt(engine, cell, ending) else None


class StaleCellReaper:
    """Closes cells whose worker is dead, or was not heard of for as long as its lease lasts.

    A lease that has ended counts only if it is still so a while later: after the database was away all leases have ended, and
    their holders are given the time to renew them.
    """

    def __init__(self, engine: Engine, study_id: int, worker: str, lease_s: float) -> None:
        self.engine, self.study_id, self.worker, self.lease_s = engine, study_id, worker, lease_s
        self.suspects: dict[tuple[int, int], float] = {}

    def reap(self, dead: Collection[str] = ()) -> list[tuple[Cell, Ending]]:
        """Close them as `lost`, which mostly queues them again. `dead`: workers that are known to be."""
        reaped = []
        for cell, over in running_cells(self.engine, self.study_id):
            why = f"its worker {cell.claimed_by} is gone" if cell.claimed_by in dead else self._why(cell, over)
            if why is None:
                continue
            attempts = attempts_at(self.engine, cell.id)
            ending = ending_after(attempts, "lost", why, attempts[-1].reached if attempts else 0)
            if end_attempt(self.engine, cell, ending):
                reaped.append((cell, ending))
        return reaped

    def _why(self, cell: Cell, over: bool) -> str | None:
        if cell.claimed_by == self.worker:
            return None
        row = worker_by_name(self.engine, cell.claimed_by or "")
        if row is None or is_gone(row.worker) or row.ended_at is not None:
            return f"its worker {cell.claimed_by} is gone"
        if not over:
            self.suspects.pop((cell.id, cell.token), None)
            return None
        since = self.suspects.setdefault((cell.id, cell.token), time.monotonic())
        if time.monotonic() - since < self.lease_s / 3:
            return None
        return f"its worker {cell.claimed_by} was not heard of for as long as its lease lasts"
