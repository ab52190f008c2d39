"""Cells trained on a Ray cluster: an actor for each slot, which supervises one child as any worker does.

Ray places the actors and reports which have died; what is done is in the database alone, so any of them may die, and so may this
process: then its actors end, and the same command goes on. Cells of an actor that Ray says is dead are queued again at once.
"""

from __future__ import annotations

import secrets
import signal
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import Any

import ray as typed_ray

from resbench.errors import BadInput, ResbenchError
from resbench.escape import LONGEST, printable
from resbench.store.connection.location import locate
from resbench.store.connection.retry import Patience
from resbench.store.open import open_store
from resbench.store.records import WorkerRecord
from resbench.workers.attempts import StaleCellReaper, worker_patience
from resbench.workers.events import WorkerEvents
from resbench.workers.executors.base import RayCluster
from resbench.workers.executors.local import LocalExecutor
from resbench.workers.shutdown import PATIENCE_S, Shutdown, Stopped
from resbench.workers.trainer import Trainer
from resbench.workers.worker import Worker, WorkerOptions, register_worker

ray: Any = typed_ray  # its annotations are of functions, not of actors with options
LOOK_S = 0.5
FEW_S = 10.0  # for actors to give back what they have, once they were asked to stop


class _Silent:
    """Reports nothing over the network: the database has it."""

    def epoch(self, trial_id: int, seed: int, epoch: int, error_pct: float | None) -> None: ...
    def saved(self, trial_id: int, seed: int, epochs: int, error_pct: float | None) -> None: ...
    def ended(self, trial_id: int, error: str | None) -> None: ...
    def note(self, trial_id: int, text: str) -> None:
        print(printable(text, LONGEST), flush=True)  # in the actor's log, which `ray logs` shows


class _Actor:
    """One slot; `work` and `stop` run beside each other."""

    def __init__(
        self, record: WorkerRecord, options: WorkerOptions, study_id: int, trainers: Sequence[Trainer]
    ) -> None:
        self.record, self.options, self.study_id, self.trainers = record, options, study_id, trainers
        self.shutdown = Shutdown()

    def work(self) -> str:
        """Train until it is asked to stop. Returns what kept it from going on, or nothing."""
        try:
            engine = open_store(self.options.url, create=False)
            with (
                register_worker(engine, self.record, self.options, self.shutdown, Patience()) as worker,
                LocalExecutor(worker, self.study_id, self.trainers, _Silent()) as executor,
            ):
                executor.run(1, lambda: False)
        except Stopped:
            return ""
        except ResbenchError as error:
            return f"{socket.gethostname()}: {error}"
        return ""

    def stop(self, signum: int) -> None:
        """Note a signal, as the process that made the actor was given it."""
        self.shutdown.request(signum)


class RayExecutor:
    """Trains in slots that come with the nodes that have room for them, and go with them; `count` bounds them."""

    def __init__(
        self, worker: Worker, study_id: int, trainers: Sequence[Trainer], events: WorkerEvents, *, cluster: RayCluster
    ) -> None:
        self.worker, self.study_id, self.trainers, self.events = worker, study_id, trainers, events
        self.cluster, self.shutdown, self.options = cluster, worker.shutdown, worker.options
        file = locate(worker.options.url).path
        if file is not None:  # an actor has another folder
            self.options = replace(self.options, url=str(file))
        self.stale = StaleCellReaper(worker.engine, study_id, worker.name, worker.options.lease_s)
        self.patience = worker_patience(events, worker.shutdown)
        # By what the work of each will return: the actor, and its worker's name.
        self.actors: dict[Any, tuple[Any, str]] = {}
        self.faults: list[str] = []

    def __enter__(self) -> RayExecutor:
        if not ray.is_initialized():
            _connect(self.cluster)
        _refuse_files(self.options.url)
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: TracebackType | None) -> None:
        with self.shutdown.shielded():
            self._tell_to_stop(FEW_S)
            names = {name for _, name in self.actors.values()}
            for actor, _ in self.actors.values():
                ray.kill(actor)
            self.actors.clear()
            with suppress(ResbenchError):
                self.stale.reap(names)
        self.shutdown.lower()

    def run(self, count: int, is_over: Callable[[], bool]) -> None:
        with self.shutdown.shielded():
            self._run(count, is_over)

    def _run(self, count: int, is_over: Callable[[], bool]) -> None:
        while not self.patience.do(is_over):
            if self.shutdown.requested:
                self._tell_to_stop(PATIENCE_S + 5, lambda: self.shutdown.is_repeated)
                self.shutdown.leave()
            self._fill(count)
            if not self.actors:
                time.sleep(LOOK_S)
            for work in ray.wait([*self.actors], timeout=LOOK_S)[0] if self.actors else ():
                self._gone(work)
            for cell, ending in self.patience.do(self.stale.reap):
                self.events.note(cell.trial_id, f"{ending.error}; its cell is {ending.outcome}")

    def _fill(self, count: int) -> None:
        """Have as many actors as there is room for, or one that waits for it."""
        options = replace(self.options, start_method="spawn")
        for _ in range(min(count, max(1, self._room())) - len(self.actors)):
            name = f"ray:{secrets.token_hex(6)}"
            record = replace(self.worker.record, name=name)
            remote = ray.remote(max_concurrency=2, num_cpus=self.cluster.cpus, num_gpus=self.cluster.gpus)(_Actor)
            actor = remote.remote(record, options, self.study_id, self.trainers)
            self.actors[actor.work.remote()] = (actor, name)

    def _room(self) -> int:
        there, cluster = ray.cluster_resources(), self.cluster
        by_cpus = there.get("CPU", 0.0) // cluster.cpus if cluster.cpus else 1e9
        return int(min(by_cpus, there.get("GPU", 0.0) / cluster.gpus if cluster.gpus else 1e9))

    def _gone(self, work: Any) -> None:
        """Note that an actor is dead, or left. Where one after another leaves for the same reason, so does the study."""
        _, name = self.actors.pop(work)
        try:
            fault = ray.get(work)
        except ray.exceptions.RayError as error:
            fault, first = "", str(error).strip().splitlines()[0]
            self.events.note(
                0, f"a slot of the cluster is gone ({type(error).__name__}: {first}); another takes its place"
            )
        for cell, ending in self.patience.do(lambda: self.stale.reap({name})):
            self.events.note(cell.trial_id, f"{ending.error}; its cell is {ending.outcome}")
        self.faults = [*self.faults, fault][-3:] if fault else []
        if len(self.faults) == 3:
            raise BadInput(f"three slots of the cluster in a row could not train; the last: {fault}")

    def _tell_to_stop(self, timeout_s: float, is_urgent: Callable[[], bool] = lambda: False) -> None:
        """Stop the actors, and wait so long until they have given back what they had.

        Those that are dead receive nothing, and those that are asked twice stop at once.
        """
        for actor, _ in self.actors.values():
            with suppress(ray.exceptions.RayError):
                actor.stop.remote(signal.SIGTERM)
        deadline, left = time.monotonic() + timeout_s, [*self.actors]
        while left and not is_urgent() and time.monotonic() < deadline:
            left = ray.wait(left, num_returns=len(left), timeout=LOOK_S)[1]


def _connect(cluster: RayCluster) -> None:
    """Connect to the cluster named, or to one of this machine's own that asks for a token.

    Its ports are open to all: Ray binds none to loopback on Linux.
    """
    before = signal.getsignal(signal.SIGTERM)
    try:
        if cluster.address is not None:
            ray.init(address=cluster.address, log_to_driver=False, configure_logging=False)
            return
        ray.init(address="local", include_dashboard=False, log_to_driver=False, configure_logging=False)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise BadInput(f"--address {cluster.address}: {str(error).strip().splitlines()[0]}") from None
    finally:
        signal.signal(signal.SIGTERM, before)  # Ray puts its own there, which ends the process


def _refuse_files(url: str) -> None:
    """Raise BadInput for a file where the cluster has nodes on other machines: they cannot share it."""
    location = locate(url)
    hosts = {node["NodeManagerHostname"] for node in ray.nodes() if node["Alive"]}
    if location.path is not None and hosts != {socket.gethostname()}:
        raise BadInput(
            f"--db {location.shown}: is a file, and the cluster has nodes on {', '.join(sorted(hosts))}; several machines need "
            "a server, such as `postgresql://user@host/name`"
        )
