"""This process as a worker of a study: a row that says so, what it may claim, and a thread that renews its leases.

The thread renews whatever the main thread is at; it is still while a child starts (`quiet`). Where the process is paused it is
paused too, and the leases end.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from resbench.errors import ResbenchError
from resbench.failpoints import Failpoint, FailpointReached, reach
from resbench.store.checkpoints.place import claim
from resbench.store.connection.retry import Patience
from resbench.store.open import Engine
from resbench.store.queue.cells import claim_cell
from resbench.store.queue.leases import LEASE_S, renew_leases
from resbench.store.queue.workers import end_worker, put_worker
from resbench.store.records import Cell, WorkerRecord
from resbench.workers.shutdown import Shutdown

RENEWALS_A_LEASE = 6

# --drain-on, --time-limit, --max-cells of `resbench worker`; "tags": one of these, where the cells left ask for other tags
WorkerLimit = Literal["signal", "time", "cells", "tags"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOptions:
    """Options of a user for a worker; none of them changes a number.

    Attributes:
        url: The database.
        folder: The folder of checkpoints and weights.
        device: `cuda`, `cuda:1`, `mps` or `cpu`; empty for the best there is.
        slots: Cells that it trains at a time.
        tags: What this machine has, of what cells ask for.
        max_cells: How many cells it trains before it leaves.
        time_s: Seconds after which it takes no more cells.
        lease_s: Seconds that a lease lasts without being renewed.
        start_method: How its children start, as `multiprocessing` names it.
    """

    url: str
    folder: Path
    device: str = ""
    slots: int = 1
    tags: tuple[str, ...] = ()
    max_cells: int | None = None
    time_s: float | None = None
    lease_s: float = LEASE_S
    start_method: str = "spawn"


class Heartbeat:
    """Renews the leases of one worker until it is over."""

    def __init__(self, engine: Engine, worker: str, lease_s: float) -> None:
        self.engine, self.worker, self.lease_s = engine, worker, lease_s
        self.quiet = threading.Lock()
        self.over = threading.Event()

    def run(self) -> None:
        """Renew several times a lease; this is what the thread does."""
        while not self.over.wait(self.lease_s / RENEWALS_A_LEASE):
            with suppress(ResbenchError, FailpointReached), self.quiet:  # the main thread meets it too, and says so
                reach(Failpoint.BEAT)
                renew_leases(self.engine, self.worker, self.lease_s)


class Worker:
    """A registered worker: it claims cells under its name, until a limit of its options is reached."""

    def __init__(self, engine: Engine, record: WorkerRecord, options: WorkerOptions, shutdown: Shutdown) -> None:
        self.engine, self.record, self.options, self.shutdown = engine, record, options, shutdown
        self.name = record.name
        self.heartbeat = Heartbeat(engine, record.name, options.lease_s)
        self.deadline = None if options.time_s is None else time.monotonic() + options.time_s

    def claim(self, study_id: int) -> Cell | None:
        """Claim the oldest queued cell of the study that this worker's tags allow."""
        return claim_cell(self.engine, study_id, self.name, self.record.tags, self.options.lease_s)

    def limit(self, cells: int) -> WorkerLimit | None:
        """Return why no more cells are to be taken, after so many; None where they are."""
        if self.shutdown.drained:
            return "signal"
        if self.is_late:
            return "time"
        most = self.options.max_cells
        return "cells" if most is not None and cells >= most else None

    @property
    def is_late(self) -> bool:
        """Whether its time is over."""
        return self.deadline is not None and time.monotonic() > self.deadline


@contextmanager
def register_worker(
    engine: Engine, record: WorkerRecord, options: WorkerOptions, shutdown: Shutdown, patience: Patience
) -> Iterator[Worker]:
    """Be a worker as long as the block lasts; leaving it frees its roles. The block gives back the cells that it has."""
    patience.do(lambda: put_worker(engine, record))
    worker = Worker(engine, record, options, shutdown)
    thread = threading.Thread(target=worker.heartbeat.run, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield worker
    finally:
        with shutdown.shielded():
            worker.heartbeat.over.set()
            thread.join(options.lease_s)
            with suppress(ResbenchError):  # that it left is seen without this too, only later
                Patience(unavailable_s=2.0, full_s=0.0).do(lambda: end_worker(engine, record.name))


def claim_folder(worker: Worker, patience: Patience) -> str | None:
    """Make the folder of checkpoints this database's. Returns what a person should know of that, if anything."""
    return patience.do(lambda: claim(worker.engine, worker.options.folder))
