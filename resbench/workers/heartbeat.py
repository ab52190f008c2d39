"""This process as a worker: a row that says so, and a thread that renews its leases whatever the main thread is at.

The thread is still while a child starts (`quiet`); where the process is paused it is paused too, and the leases end.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from resbench.errors import ResbenchError
from resbench.failpoints import Failpoint, FailpointReached, reach
from resbench.store.connection.retry import Patience
from resbench.store.open import Engine
from resbench.store.queue.cells import LEASE_S
from resbench.store.queue.workers import end_worker, put_worker, renew_worker
from resbench.store.records import WorkerRecord
from resbench.workers.shutdown import Stop

BEATS_A_LEASE = 6


class Pulse:
    """Renews until it is told that it is over."""

    def __init__(self, engine: Engine, worker: str, lease_s: float) -> None:
        self.engine, self.worker, self.lease_s = engine, worker, lease_s
        self.quiet = threading.Lock()
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.wait(self.lease_s / BEATS_A_LEASE):
            with suppress(ResbenchError, FailpointReached), self.quiet:  # the main thread meets it too, and says so
                reach(Failpoint.BEAT)
                renew_worker(self.engine, self.worker, self.lease_s)


@contextmanager
def at_work(
    engine: Engine, record: WorkerRecord, stop: Stop, patience: Patience, lease_s: float = LEASE_S
) -> Iterator[Pulse]:
    """A worker as long as the block lasts; leaving it frees its roles. What cells it has is for the block to give back."""
    patience.do(lambda: put_worker(engine, record))
    pulse = Pulse(engine, record.name, lease_s)
    thread = threading.Thread(target=pulse.run, name="pulse", daemon=True)
    thread.start()
    try:
        yield pulse
    finally:
        with stop.shielded():
            pulse.over.set()
            thread.join(lease_s)
            with suppress(ResbenchError):  # that it left is seen without this too, only later
                Patience(unavailable_s=2.0, full_s=0.0).do(lambda: end_worker(engine, record.name))
