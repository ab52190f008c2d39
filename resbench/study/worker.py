"""Cells -> Runs.  Claims cells, trains their missing seeds side by side, saves each run as it ends.

A worker knows nothing but our own tables, so it may be another process, or on another machine. Seeds train in threads; the
database is written by the thread that waits for them.
"""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from functools import partial
from threading import Event
from typing import Protocol

import torch

from resbench.errors import DatabaseError, StorageError
from resbench.store.engine import Engine
from resbench.store.records import Cell, EpochRecord, RunRecord, TestScore
from resbench.store.runs import find_runs, link_run, save_run
from resbench.study.job import Slots, job, train
from resbench.train.outcome import Epoch, Outcome


class Cells(Protocol):
    """Where cells come from and where they go; `epoch` is called from several threads."""

    def claim(self) -> Cell | None: ...

    def epoch(self, cell: Cell, seed: int, epoch: Epoch) -> None: ...

    def saved(self, cell: Cell, seed: int, outcome: Outcome) -> None: ...

    def ended(self, cell: Cell, error: BaseException | None) -> None: ...


@dataclass(frozen=True, slots=True)
class Worker:
    """`environment`: the digest under which the store knows this machine."""

    engine: Engine
    study_id: int
    slots: Slots
    environment: str


def work(worker: Worker, cells: Cells) -> None:
    """Until no cell is left. The next cell is claimed while the last seeds of one before still train.

    A cell whose seed raises goes on with its other seeds and ends with that error. What the database or Ctrl-C raises ends
    all: open cells end with it, seeds that train stop at the end of their epoch.
    """
    torch.set_num_threads(worker.slots.threads)
    pool = ThreadPoolExecutor(worker.slots.workers)
    shift = _Shift(worker, cells, pool)
    try:
        while shift.fill():
            shift.collect()
    except BaseException as error:
        shift.give_up(error)
        raise
    finally:
        shift.stop.set()
        pool.shutdown(wait=False, cancel_futures=True)


class _Shift:
    """The runs under way, each with its seed and the cells it is for (of equal nets it is one), and the first error of a cell."""

    def __init__(self, worker: Worker, cells: Cells, pool: ThreadPoolExecutor) -> None:
        self.worker, self.cells, self.pool = worker, cells, pool
        self.stop = Event()
        self.futures: dict[Future[Outcome], tuple[list[Cell], int]] = {}
        self.errors: dict[int, BaseException] = {}

    def fill(self) -> bool:
        """Claim cells until every slot has a seed. Returns whether there is anything to wait for."""
        while len(self.futures) < self.worker.slots.workers and (cell := self.cells.claim()) is not None:
            try:
                seeds = self.start(cell)
            except Exception as error:
                self.cells.ended(cell, error)
                if isinstance(error, DatabaseError | StorageError):
                    raise
                continue  # this cell cannot be trained here; others can
            if not seeds:
                self.cells.ended(cell, None)
        return bool(self.futures)

    def start(self, cell: Cell) -> list[int]:
        """Link the runs that stand, train the seeds that have none and are not under way for another cell. Returns these two."""
        engine, study_id = self.worker.engine, self.worker.study_id
        found = find_runs(engine, cell.architecture, cell.recipe, cell.data, cell.seeds)
        for run in found.values():
            link_run(engine, study_id, cell.trial_id, run.id)
        missing = [seed for seed in cell.seeds if seed not in found]
        if missing:
            task = job(engine, cell.architecture, cell.recipe, cell.data)
        under_way = {_identity(cells[0], seed): cells for cells, seed in self.futures.values()}
        for seed in missing:
            if (sharing := under_way.get(_identity(cell, seed))) is not None:
                sharing.append(cell)
                continue
            future = self.pool.submit(train, task, seed, self.worker.slots.device, partial(self.told, cell, seed))
            self.futures[future] = [cell], seed
        return missing

    def collect(self) -> None:
        """Save what has ended."""
        done, _ = wait(self.futures, return_when=FIRST_COMPLETED)
        for future in done:
            sharing, seed = self.futures[future]
            error = future.exception()
            if error is None:
                run_id = save_run(
                    self.worker.engine, record(sharing[0], seed, future.result(), self.worker.environment)
                )
                for cell in sharing:
                    link_run(self.worker.engine, self.worker.study_id, cell.trial_id, run_id)
                self.cells.saved(sharing[0], seed, future.result())
            del self.futures[future]  # only now: what is not saved is given up with its cell
            for cell in sharing:
                if error is not None:
                    self.errors.setdefault(cell.id, error)
                if not any(cell in cells for cells, _ in self.futures.values()):
                    self.cells.ended(cell, self.errors.pop(cell.id, None))

    def give_up(self, error: BaseException) -> None:
        for cell in {cell.id: cell for cells, _ in self.futures.values() for cell in cells}.values():
            self.cells.ended(cell, error)

    def told(self, cell: Cell, seed: int, epoch: Epoch) -> None:
        """Tell of each epoch, until it is time to stop."""
        if self.stop.is_set():
            raise InterruptedError(f"seed {seed} was stopped after epoch {epoch.epoch}")
        self.cells.epoch(cell, seed, epoch)


def _identity(cell: Cell, seed: int) -> tuple[str, str, str, int]:
    return cell.architecture, cell.recipe, cell.data, seed


def record(cell: Cell, seed: int, outcome: Outcome, environment: str) -> RunRecord:
    last = outcome.epochs[-1]
    test = None if outcome.test_error_pct is None else TestScore(outcome.test_error_pct, outcome.test_loss)
    return RunRecord(
        architecture=cell.architecture,
        recipe=cell.recipe,
        data=cell.data,
        seed=seed,
        status=outcome.status,
        environment=environment,
        val_error_pct=last.val_error_pct,
        val_loss=last.val_loss,
        train_loss=last.train_loss,
        epochs=last.epoch,
        train_s=outcome.train_s,
        wall_s=outcome.wall_s,
        history=[EpochRecord(**asdict(epoch)) for epoch in outcome.epochs],
        test_score=test,
    )
