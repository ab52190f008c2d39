"""Slots of this machine that claim cells of a study and train them, until there are no more.

Children claim only once they are ready, so that no cell waits for an import. One that dies is replaced.
Cells of workers that are dead, here or elsewhere, are closed by whoever notices first.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import wait
from types import TracebackType
from typing import Any

from resbench.errors import ResbenchError, StorageError
from resbench.store.connection.retry import Patience
from resbench.store.queue.workers import set_slots
from resbench.workers.attempts import AttemptRecorder, StaleCellReaper, raise_for_worker, worker_patience
from resbench.workers.child import AttemptEnd
from resbench.workers.events import WorkerEvents
from resbench.workers.executors.slot import Slot
from resbench.workers.shutdown import PATIENCE_S
from resbench.workers.trainer import Trainer
from resbench.workers.worker import Worker, WorkerLimit

LOOK_S = 0.5  # between looks for cells that are not there yet, and for what others have done
DEATHS = 6  # of children in a row that were not even ready: something is wrong with this machine


class LocalExecutor:
    """Trains in children of this process; leaving it ends them, and gives back what they had."""

    def __init__(self, worker: Worker, study_id: int, trainers: Sequence[Trainer], events: WorkerEvents) -> None:
        self.worker, self.study_id, self.trainers, self.events = worker, study_id, trainers, events
        self.engine, self.shutdown = worker.engine, worker.shutdown
        self.context: Any = multiprocessing.get_context(worker.options.start_method)
        self.patience = worker_patience(events, worker.shutdown)
        self.attempts = AttemptRecorder(worker.engine, events, self.patience)
        self.stale = StaleCellReaper(worker.engine, study_id, worker.name, worker.options.lease_s)
        self.slots: list[Slot] = []
        self.looked = 0.0
        self.deaths = 0

    def __enter__(self) -> LocalExecutor:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: TracebackType | None) -> None:
        with self.shutdown.shielded():
            self.give_back()
        self.shutdown.lower()

    def give_back(self) -> None:
        """End the children; what they had goes on elsewhere."""
        for slot in self.slots:
            slot.process.kill()
        attempts = AttemptRecorder(self.engine, self.events, Patience(unavailable_s=2.0, full_s=0.0))
        for slot in self.slots:
            slot.process.join()
            if slot.current is not None:
                try:
                    attempts.record(
                        slot.current.cell, AttemptEnd("stopped", "its worker stopped"), slot.current.reached
                    )
                except ResbenchError:  # the lease will end
                    self.shutdown.unreturned += 1

    def start(self, count: int) -> None:
        """Start so many more children; each takes seconds to be ready."""
        for _ in range(count):
            trainer = min(self.trainers, key=[slot.trainer for slot in self.slots].count)  # the device with the fewest
            with self.worker.heartbeat.quiet:
                self.slots.append(Slot(self.context, self.worker.options.url, trainer))

    def run(self, count: int, is_over: Callable[[], bool]) -> WorkerLimit | None:
        with self.shutdown.shielded():
            return self.work(count, is_over)

    def work(self, count: int, is_over: Callable[[], bool]) -> WorkerLimit | None:
        if limit := self.limit():  # before children are started for nothing
            return limit
        self.patience.do(lambda: set_slots(self.engine, self.worker.name, count))
        self.start(count - len(self.slots))
        for slot in self.slots[count:]:  # of an earlier stage, and not wanted
            slot.process.kill()
            slot.process.join()
        del self.slots[count:]
        self.looked, claims = 0.0, True
        while (limit := self.limit()) is None or self.busy():
            if self.shutdown.requested:
                self.wind_up()
            claims = claims and self.claim()
            if time.monotonic() - self.looked > LOOK_S:
                if self.patience.do(is_over) and not self.busy():
                    return None
                self.reap_stale()
                claims, self.looked = True, time.monotonic()
            self.listen(0.1)
        return limit

    def limit(self) -> WorkerLimit | None:
        """Return why no more cells are to be taken; None where they are."""
        return self.worker.limit(self.attempts.cells + self.busy())

    def claim(self) -> bool:
        """Claim a cell for each slot that is ready for one. False where there are no more for now."""
        for slot in self.slots:
            if slot.is_free() and self.limit() is None:
                cell = self.patience.do(lambda: self.worker.claim(self.study_id))
                if cell is None:
                    return False
                slot.assign(cell)
        return True

    def busy(self) -> int:
        """Return how many slots have a cell."""
        return sum(slot.current is not None for slot in self.slots)

    def listen(self, timeout_s: float) -> None:
        """Receive what children report, and see which have died or gone over a limit."""
        for pipe in wait([slot.pipe for slot in self.slots], timeout_s) if self.slots else _wait(timeout_s):
            slot = next(slot for slot in self.slots if slot.pipe is pipe)
            try:
                method, arguments = slot.pipe.recv()
            except (EOFError, OSError):
                self.died(slot)
            else:
                self.receive(slot, method, arguments)
        for slot in self.slots:
            slot.check()

    def receive(self, slot: Slot, method: str, arguments: tuple[Any, ...]) -> None:
        """Take one report of a child."""
        current, trial = slot.current, slot.current.cell.trial_id if slot.current else 0
        if method == "ready":
            slot.ready, self.deaths = True, 0
        elif method == "broken":
            raise_for_worker(arguments[0])
            raise StorageError(f"a worker cannot start: {arguments[0].error}")
        elif method == "note":
            self.events.note(trial, *arguments)
        elif current is None:
            return
        elif method == "end":
            (end,) = arguments
            slot.current, self.looked = None, 0.0
            if end.kind == "oom" and slot.ended_by is None:
                slot.end(end)  # another takes its place, with its memory free
            self.attempts.record(current.cell, slot.ended_by or end, current.reached)
        else:
            seed, epoch, error_pct = arguments
            current.epochs[seed] = epoch
            report = self.events.epoch if method == "epoch" else self.events.saved
            report(trial, seed, epoch, error_pct)

    def died(self, slot: Slot) -> None:
        """Replace a child that died; where children go on dying that have trained nothing, the worker leaves."""
        end, current = slot.died(), slot.current
        self.slots.remove(slot)
        if current is not None:
            self.attempts.record(current.cell, end, current.reached)
        elif not slot.ready:
            self.deaths += 1
            if self.deaths == DEATHS:
                raise StorageError(f"{DEATHS} children in a row died before they could train; the last: {end.error}")
        if not self.shutdown.requested:
            self.start(1)

    def reap_stale(self) -> None:
        """Close the cells of dead workers, and report it."""
        for cell, ending in self.patience.do(self.stale.reap):
            if ending.outcome == "failed":
                self.events.ended(cell.trial_id, ending.error)
            else:
                self.events.note(cell.trial_id, f"{ending.error}; its cell is queued again")

    def wind_up(self) -> None:
        """Let every child stop at the end of its epoch, or at its step where that is far; after a second signal at once.

        Raises Stopped.
        """
        for slot in self.slots:
            slot.request_stop()
        deadline = self.shutdown.requested_at + PATIENCE_S + 5.0
        while self.busy() and not self.shutdown.is_repeated and time.monotonic() < deadline:
            self.listen(0.1)
        self.shutdown.leave()


def _wait(seconds: float) -> Sequence[Any]:
    time.sleep(seconds)
    return ()
