"""How an attempt at a cell ended -> what that means for the cell, written down, told, and counted."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field

from resbench.errors import BadInput, DatabaseError, PluginError, ResbenchError, StorageError
from resbench.store.connection.retry import Patience
from resbench.store.open import Engine
from resbench.store.queue.cells import attempts_at, end_attempt, running_cells
from resbench.store.queue.workers import worker_by_name
from resbench.store.records import Cell, Ending
from resbench.workers.child import End
from resbench.workers.events import Onlooker
from resbench.workers.processes import is_gone
from resbench.workers.retry_policy import after
from resbench.workers.shutdown import Stop

ALIKE = 5  # cells in a row that a plugin fails in the same way: the study stops
_OF_THE_WORKER: dict[str, type[ResbenchError]] = {
    "unfit": BadInput, "database": DatabaseError, "storage": StorageError
}  # fmt: skip


def raise_for_worker(end: End) -> None:
    """What keeps this worker from training any cell."""
    error = _OF_THE_WORKER.get(end.kind or "")
    if error is not None:
        raise error(end.error)


def patience_of(onlooker: Onlooker, stop: Stop) -> Patience:
    """A worker's: what it waits for is told, and a wish to stop ends it."""
    return Patience(note=lambda text: onlooker.note(0, text), stopped=lambda: bool(stop.asked))


@dataclass(slots=True)
class Settling:
    """Of one worker's attempts. `cells`: closed so far."""

    engine: Engine
    onlooker: Onlooker
    patience: Patience
    cells: int = 0
    signatures: deque[str] = field(default_factory=lambda: deque(maxlen=ALIKE))

    def ended(self, cell: Cell, end: End, reached: int) -> Ending | None:
        """None where the cell is another's by now. Raises what keeps this worker from training, and PluginError where a plugin
        fails one cell after another.
        """
        ending = self.patience.do(lambda: _end(self.engine, cell, end, reached))
        if ending is None:
            self.onlooker.note(
                cell.trial_id, "its cell was taken over by another worker; what was trained here is dropped"
            )
        elif ending.outcome == "retry":
            self.onlooker.note(cell.trial_id, f"{end.told}; it is tried again")
        elif end.kind == "unfit":
            self.onlooker.note(cell.trial_id, "this machine cannot train its cell, which is given back")
        elif ending.outcome != "given_back":
            self.cells += 1
            self.onlooker.ended(cell.trial_id, None if ending.outcome == "done" else end.told)
        raise_for_worker(end)
        self.signatures.append(end.told if end.kind == "plugin" else "")
        if end.kind == "plugin" and len(self.signatures) == ALIKE and len(set(self.signatures)) == 1:
            raise PluginError(f"{end.told} ({ALIKE} cells in a row; the study stops)")
        return ending


def _end(engine: Engine, cell: Cell, end: End, reached: int) -> Ending | None:
    if end.kind == "fenced":
        return None
    if end.kind is None:
        ending = Ending("done", reached=reached)
    elif end.kind == "stopped" or end.kind in _OF_THE_WORKER:
        ending = Ending("given_back", end.kind, end.error, reached)
    else:
        ending = after(attempts_at(engine, cell.id), end.kind, end.error, reached)
    return ending if end_attempt(engine, cell, ending) else None


@dataclass(slots=True)
class Lost:
    """Looks for cells whose worker is dead or was not heard of for as long as its lease lasts.

    A lease that has ended counts only if it is still so a while later: after the database was away all leases have ended, and
    their holders are given the time to renew them.
    """

    engine: Engine
    study_id: int
    worker: str
    lease_s: float
    suspects: dict[tuple[int, int], float] = field(default_factory=dict)

    def settle(self, dead: Collection[str] = ()) -> list[tuple[Cell, Ending]]:
        """Close them as `lost`, which mostly is queued again. `dead`: workers of whom it is known."""
        settled = []
        for cell, over in running_cells(self.engine, self.study_id):
            why = f"its worker {cell.claimed_by} is gone" if cell.claimed_by in dead else self._why(cell, over)
            if why is None:
                continue
            attempts = attempts_at(self.engine, cell.id)
            ending = after(attempts, "lost", why, attempts[-1].reached if attempts else 0)
            if end_attempt(self.engine, cell, ending):
                settled.append((cell, ending))
        return settled

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
