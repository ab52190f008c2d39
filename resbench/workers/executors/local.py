"""Slots of this machine that claim cells of a study and train them, until there are no more.

Children claim only once they are ready, so that no cell waits for an import. One that dies is replaced.
Cells of workers that are dead, here or elsewhere, are settled by whoever notices first.
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
from resbench.store.open import Engine
from resbench.store.queue.cells import claim_cell
from resbench.store.queue.workers import set_slots
from resbench.workers.attempts import Lost, Settling, patience_of, raise_for_worker
from resbench.workers.child import End
from resbench.workers.config import Duty, Limit
from resbench.workers.events import Onlooker
from resbench.workers.executors.slot import Slot
from resbench.workers.heartbeat import Pulse
from resbench.workers.shutdown import PATIENCE_S, Stop

LOOK_S = 0.5  # between looks for cells that are not there yet, and for what others have done
DEATHS = 6  # of children in a row that were not even ready: something is wrong with this machine


class LocalExecutor:
    """Use as a context manager; leaving it ends its children, and gives back what they had."""

    def __init__(self, engine: Engine, duty: Duty, pulse: Pulse, onlooker: Onlooker, stop: Stop) -> None:
        self.engine, self.duty, self.pulse, self.onlooker, self.stop = engine, duty, pulse, onlooker, stop
        self.context: Any = multiprocessing.get_context(duty.context)
        self.patience = patience_of(onlooker, stop)
        self.settling = Settling(engine, onlooker, self.patience)
        self.lost = Lost(engine, duty.study_id, duty.record.name, duty.lease_s)
        self.slots: list[Slot] = []
        self.looked = 0.0
        self.deaths = 0

    def __enter__(self) -> LocalExecutor:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: TracebackType | None) -> None:
        with self.stop.shielded():
            self.give_back()
        self.stop.lower()

    def give_back(self) -> None:
        """End the children; what they had goes on elsewhere."""
        for slot in self.slots:
            slot.process.kill()
        settling = Settling(self.engine, self.onlooker, Patience(unavailable_s=2.0, full_s=0.0))
        for slot in self.slots:
            slot.process.join()
            if slot.work is not None:
                try:
                    settling.ended(slot.work.cell, End("stopped", "its worker stopped"), slot.work.reached)
                except ResbenchError:  # the lease will end
                    self.stop.unreturned += 1

    def start(self, count: int) -> None:
        """So many more children; each takes seconds to be ready."""
        for _ in range(count):
            trainer = min(
                self.duty.trainers, key=[slot.trainer for slot in self.slots].count
            )  # the device with the fewest
            with self.pulse.quiet:
                self.slots.append(Slot(self.context, self.duty.url, trainer))

    def run(self, count: int, is_over: Callable[[], bool]) -> Limit | None:
        with self.stop.shielded():
            return self.work(count, is_over)

    def work(self, count: int, is_over: Callable[[], bool]) -> Limit | None:
        if limit := self.limit():  # before children are started for nothing
            return limit
        self.patience.do(lambda: set_slots(self.engine, self.duty.record.name, count))
        self.start(count - len(self.slots))
        for slot in self.slots[count:]:  # of an earlier stage, and not wanted
            slot.process.kill()
            slot.process.join()
        del self.slots[count:]
        self.looked, claims = 0.0, True
        while (limit := self.limit()) is None or self.busy():
            if self.stop.asked:
                self.wind_up()
            claims = claims and self.claim()
            if time.monotonic() - self.looked > LOOK_S:
                if self.patience.do(is_over) and not self.busy():
                    return None
                self.settle_lost()
                claims, self.looked = True, time.monotonic()
            self.listen(0.1)
        return limit

    def limit(self) -> Limit | None:
        """Why no more cells are to be taken."""
        duty, taken = self.duty, self.settling.cells + self.busy()
        if self.stop.drained:
            return "signal"
        if duty.until is not None and time.monotonic() > duty.until:
            return "time"
        return "cells" if duty.max_cells is not None and taken >= duty.max_cells else None

    def claim(self) -> bool:
        """A cell for each slot that is ready for one. False where there are no more for now."""
        duty = self.duty
        for slot in self.slots:
            if slot.is_free() and self.limit() is None:
                cell = self.patience.do(
                    lambda: claim_cell(self.engine, duty.study_id, duty.record.name, duty.record.tags, duty.lease_s)
                )
                if cell is None:
                    return False
                slot.hand(cell)
        return True

    def busy(self) -> int:
        return sum(slot.work is not None for slot in self.slots)

    def listen(self, timeout_s: float) -> None:
        """Hear what children tell, and see which have died or gone over a limit."""
        for pipe in wait([slot.pipe for slot in self.slots], timeout_s) if self.slots else _slept(timeout_s):
            slot = next(slot for slot in self.slots if slot.pipe is pipe)
            try:
                method, arguments = slot.pipe.recv()
            except (EOFError, OSError):
                self.died(slot)
            else:
                self.hear(slot, method, arguments)
        for slot in self.slots:
            slot.check()

    def hear(self, slot: Slot, method: str, arguments: tuple[Any, ...]) -> None:
        work, trial = slot.work, slot.work.cell.trial_id if slot.work else 0
        if method == "ready":
            slot.ready, self.deaths = True, 0
        elif method == "broken":
            raise_for_worker(arguments[0])
            raise StorageError(f"a worker cannot start: {arguments[0].error}")
        elif method == "note":
            self.onlooker.note(trial, *arguments)
        elif work is None:
            return
        elif method == "end":
            (end,) = arguments
            slot.work, self.looked = None, 0.0
            if end.kind == "oom" and slot.verdict is None:
                slot.end(end)  # another takes its place, with its memory free
            self.settling.ended(work.cell, slot.verdict or end, work.reached)
        else:
            seed, epoch, error_pct = arguments
            work.epochs[seed] = epoch
            tell = self.onlooker.epoch if method == "epoch" else self.onlooker.saved
            tell(trial, seed, epoch, error_pct)

    def died(self, slot: Slot) -> None:
        """Another takes its place; where children go on dying that have trained nothing, the worker leaves."""
        end, work = slot.died(), slot.work
        self.slots.remove(slot)
        if work is not None:
            self.settling.ended(work.cell, end, work.reached)
        elif not slot.ready:
            self.deaths += 1
            if self.deaths == DEATHS:
                raise StorageError(f"{DEATHS} children in a row died before they could train; the last: {end.error}")
        if not self.stop.asked:
            self.start(1)

    def settle_lost(self) -> None:
        for cell, ending in self.patience.do(self.lost.settle):
            if ending.outcome == "failed":
                self.onlooker.ended(cell.trial_id, ending.error)
            else:
                self.onlooker.note(cell.trial_id, f"{ending.error}; its cell is queued again")

    def wind_up(self) -> None:
        """Every child stops at the end of its epoch, or at its step where that is far; after a second signal at once.
        Raises Stopped."""
        for slot in self.slots:
            slot.wish_to_stop()
        deadline = self.stop.asked_at + PATIENCE_S + 5.0
        while self.busy() and not self.stop.again and time.monotonic() < deadline:
            self.listen(0.1)
        self.stop.leave()


def _slept(seconds: float) -> Sequence[Any]:
    time.sleep(seconds)
    return ()
