"""Cells trained in this process itself, one after another: ranks of torchrun, and `plan: {workers: 0}`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType

from resbench.errors import ResbenchError, StorageError
from resbench.store.open import Engine
from resbench.store.queue.cells import claim_cell
from resbench.store.records import Cell
from resbench.workers.attempts import Lost, Settling, patience_of
from resbench.workers.child import End, end_of
from resbench.workers.config import Duty
from resbench.workers.events import Onlooker
from resbench.workers.shutdown import PATIENCE_S, Stop
from resbench.workers.trainer import Train

LOOK_S = 0.5


@dataclass(frozen=True, slots=True)
class _Ears:
    """`alone`: of several ranks one may not stop within an epoch."""

    onlooker: Onlooker
    stop: Stop
    trial_id: int
    alone: bool
    epochs: dict[int, int] = field(default_factory=dict)

    def beat(self) -> None:
        if self.alone and self.stop.asked and time.monotonic() - self.stop.asked_at > PATIENCE_S:
            raise InterruptedError("stopped within an epoch that takes too long to wait for")

    def epoch(self, seed: int, epoch: int, error_pct: float | None) -> None:
        if self.stop.asked:
            raise InterruptedError(f"seed {seed} was stopped after epoch {epoch}")
        self.epochs[seed] = epoch
        self.onlooker.epoch(self.trial_id, seed, epoch, error_pct)

    def saved(self, seed: int, epochs: int, error_pct: float | None) -> None:
        self.epochs[seed] = epochs
        self.onlooker.saved(self.trial_id, seed, epochs, error_pct)

    def note(self, text: str) -> None:
        self.onlooker.note(self.trial_id, text)


class HereExecutor:
    """`alone`: this process is not one of several ranks."""

    def __init__(self, engine: Engine, duty: Duty, onlooker: Onlooker, stop: Stop, *, alone: bool) -> None:
        self.engine, self.duty, self.onlooker, self.stop, self.alone = engine, duty, onlooker, stop, alone
        self.settling = Settling(engine, onlooker, patience_of(onlooker, stop))
        self.lost = Lost(engine, duty.study_id, duty.record.name, duty.lease_s)
        self.ready: Train | None = None

    def __enter__(self) -> HereExecutor:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop.lower()  # a cell is settled where it is trained

    def run(self, count: int, is_over: Callable[[], bool]) -> None:
        duty, patience = self.duty, self.settling.patience
        self.ready = train = self.ready or duty.trainers[0].ready()
        claim = (self.engine, duty.study_id, duty.record.name, duty.record.tags, duty.lease_s)
        with self.stop.shielded():
            while not self.stop.asked:
                cell = patience.do(lambda: claim_cell(*claim))
                if cell is not None:
                    self.train(train, cell)
                    continue
                patience.do(self.lost.settle)
                if patience.do(is_over):
                    return
                time.sleep(LOOK_S)
            self.stop.leave()

    def train(self, train: Train, cell: Cell) -> None:
        ears = _Ears(self.onlooker, self.stop, cell.trial_id, self.alone)
        try:
            with self.stop.exposed():
                train(self.engine, cell, ears)
        except Exception as error:
            end = end_of(error)
        except BaseException:  # Ctrl-C for the second time
            try:
                self.settling.ended(cell, End("stopped", "its worker stopped"), 0)
            except ResbenchError:  # the lease will end
                self.stop.unreturned += 1
            raise
        else:
            end = End()
        self.settling.ended(cell, end, sum(ears.epochs.values()))
        if not self.alone and end.kind not in (None, "stopped"):
            raise StorageError(f"{end.told}; the processes of one training are out of step, so all of them end")
