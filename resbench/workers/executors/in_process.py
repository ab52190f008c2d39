"""Cells trained in this process itself, one after another: ranks of torchrun, and `plan: {workers: 0}`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType

from resbench.errors import ResbenchError, StorageError
from resbench.store.records import Cell
from resbench.workers.attempts import AttemptRecorder, StaleCellReaper, worker_patience
from resbench.workers.child import AttemptEnd, classify_error
from resbench.workers.events import WorkerEvents
from resbench.workers.shutdown import PATIENCE_S, Shutdown
from resbench.workers.trainer import Train, Trainer
from resbench.workers.worker import Worker

LOOK_S = 0.5


@dataclass(frozen=True, slots=True)
class _Reporter:
    """Reports one cell. `alone`: of several ranks one may not stop within an epoch."""

    events: WorkerEvents
    shutdown: Shutdown
    trial_id: int
    alone: bool
    epochs: dict[int, int] = field(default_factory=dict)

    def step(self) -> None:
        requested = self.shutdown.requested and time.monotonic() - self.shutdown.requested_at > PATIENCE_S
        if self.alone and requested:
            raise InterruptedError("stopped within an epoch that takes too long to wait for")

    def epoch(self, seed: int, epoch: int, error_pct: float | None) -> None:
        if self.shutdown.requested:
            raise InterruptedError(f"seed {seed} was stopped after epoch {epoch}")
        self.epochs[seed] = epoch
        self.events.epoch(self.trial_id, seed, epoch, error_pct)

    def saved(self, seed: int, epochs: int, error_pct: float | None) -> None:
        self.epochs[seed] = epochs
        self.events.saved(self.trial_id, seed, epochs, error_pct)

    def note(self, text: str) -> None:
        self.events.note(self.trial_id, text)


class InProcessExecutor:
    """Trains here. `alone`: this process is not one of several ranks."""

    def __init__(
        self, worker: Worker, study_id: int, trainers: Sequence[Trainer], events: WorkerEvents, *, alone: bool
    ) -> None:
        self.worker, self.study_id, self.trainers, self.events = worker, study_id, trainers, events
        self.alone, self.shutdown = alone, worker.shutdown
        self.attempts = AttemptRecorder(worker.engine, events, worker_patience(events, worker.shutdown))
        self.stale = StaleCellReaper(worker.engine, study_id, worker.name, worker.options.lease_s)
        self.ready: Train | None = None

    def __enter__(self) -> InProcessExecutor:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: TracebackType | None) -> None:
        self.shutdown.lower()  # a cell is recorded where it is trained

    def run(self, count: int, is_over: Callable[[], bool]) -> None:
        """Train one cell after another. `count` is ignored: this process is one."""
        patience = self.attempts.patience
        self.ready = train = self.ready or self.trainers[0].ready()
        with self.shutdown.shielded():
            while not self.shutdown.requested:
                cell = patience.do(lambda: self.worker.claim(self.study_id))
                if cell is not None:
                    self.train(train, cell)
                    continue
                patience.do(self.stale.reap)
                if patience.do(is_over):
                    return
                time.sleep(LOOK_S)
            self.shutdown.leave()

    def train(self, train: Train, cell: Cell) -> None:
        """Train one cell, and record how that ended."""
        reporter = _Reporter(self.events, self.shutdown, cell.trial_id, self.alone)
        try:
            with self.shutdown.exposed():
                train(self.worker.engine, cell, reporter)
        except Exception as error:
            end = classify_error(error)
        except BaseException:  # Ctrl-C for the second time
            try:
                self.attempts.record(cell, AttemptEnd("stopped", "its worker stopped"), 0)
            except ResbenchError:  # the lease will end
                self.shutdown.unreturned += 1
            raise
        else:
            end = AttemptEnd()
        self.attempts.record(cell, end, sum(reporter.epochs.values()))
        if not self.alone and end.kind not in (None, "stopped"):
            raise StorageError(f"{end.summary}; the processes of one training are out of step, so all of them end")
