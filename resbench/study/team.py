"""A study's cells -> workers of this machine that train them: this process and others, watched until all cells are closed.

They are spawned, not forked: a fork of a process with threads may hang. A worker whose parent dies ends itself; one that dies
leaves its cell, which is queued again once.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from multiprocessing.synchronize import Event
from pathlib import Path
from types import TracebackType
from typing import Any

import torch

from resbench.errors import DatabaseError, ResbenchError, StorageError
from resbench.plugins.active import activate, named_folders
from resbench.store.cells import requeue_running
from resbench.store.checkpoints import checkpoint_folder
from resbench.store.engine import Engine, open_store
from resbench.study.profile import Machine
from resbench.study.worker import Onlooker, Worker, work
from resbench.train.device import repeatable
from resbench.train.outcome import Epoch, Outcome

PATIENCE_S = 20.0  # for a worker to come to the end of its epoch after Ctrl-C


@dataclass(frozen=True, slots=True)
class _Told:
    """An onlooker on the other side of a pipe: what it is told arrives there as (method, arguments)."""

    pipe: Connection

    def epoch(self, trial_id: int, seed: int, epoch: Epoch) -> None:
        self.pipe.send(("epoch", (trial_id, seed, epoch)))

    def saved(self, trial_id: int, seed: int, outcome: Outcome) -> None:
        self.pipe.send(("saved", (trial_id, seed, outcome)))

    def ended(self, trial_id: int, error: str | None) -> None:
        self.pipe.send(("ended", (trial_id, error)))

    def note(self, trial_id: int, text: str) -> None:
        self.pipe.send(("note", (trial_id, text)))


@dataclass(frozen=True, slots=True)
class _Listening:
    """An onlooker that hears the other workers whenever it is told something itself."""

    onlooker: Onlooker
    listen: Callable[[], None]

    def epoch(self, trial_id: int, seed: int, epoch: Epoch) -> None:
        self.listen()
        self.onlooker.epoch(trial_id, seed, epoch)

    def saved(self, trial_id: int, seed: int, outcome: Outcome) -> None:
        self.onlooker.saved(trial_id, seed, outcome)

    def ended(self, trial_id: int, error: str | None) -> None:
        self.listen()
        self.onlooker.ended(trial_id, error)

    def note(self, trial_id: int, text: str) -> None:
        self.onlooker.note(trial_id, text)


@dataclass(frozen=True, slots=True)
class _Post:
    """What a worker must know when it starts."""

    url: str
    study_id: int
    host: str
    machine: Machine
    folders: Sequence[Path]
    go: Event
    stop: Event


def name_of(host: str, pid: int | None) -> str:
    return f"{host}:{pid}"


class Team:
    """`count` workers for one study. Use as a context manager; leaving it ends them."""

    def __init__(
        self, engine: Engine, url: str, study_id: int, host: str, machine: Machine, onlooker: Onlooker
    ) -> None:
        self.engine, self.onlooker, self.host, self.study_id = engine, onlooker, host, study_id
        self.context = multiprocessing.get_context("spawn")
        self.go, self.stop = self.context.Event(), self.context.Event()
        self.machine = machine
        self.post = _Post(url, study_id, host, machine, named_folders(), self.go, self.stop)
        self.members: dict[Connection, SpawnProcess] = {}
        self.lost = 0

    def __enter__(self) -> Team:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: TracebackType | None) -> None:
        """Workers stop at the end of their epoch; those that do not are ended. What any of them held is queued again."""
        if trace is not None:
            traceback.clear_frames(trace)  # as in work: a transaction may be open there
        self.stop.set()
        for member in self.members.values():
            member.join(PATIENCE_S)
            if member.is_alive():
                member.kill()
                member.join()
        for pid in (os.getpid(), *(member.pid for member in self.members.values())):
            with suppress(ResbenchError):
                requeue_running(self.engine, self.study_id, name_of(self.host, pid))

    def run(self, count: int) -> None:
        """Until no cell is left: this process is one of the workers, and listens to the others at the end of each epoch.

        Raises what the database raised to one of them.
        """
        self.start_early(count - 1 - len(self.members))
        for pipe in list(self.members)[count - 1 :]:  # started early, and not wanted
            member = self.members.pop(pipe)
            member.kill()
            member.join()
        self.go.set()
        own = _Listening(self.onlooker, self.listen)
        work(
            Worker(
                self.engine,
                self.study_id,
                name_of(self.host, os.getpid()),
                self.machine,
                checkpoint_folder(self.post.url),
                own,
            )
        )
        while self.members:
            self.listen(None)

    def start_early(self, count: int) -> None:
        for _ in range(count):
            self.start()

    def listen(self, timeout_s: float | None = 0.0) -> None:
        """Hear what the others have to tell; None waits until one has."""
        while self.members and (ready := wait(list(self.members), timeout_s)):
            for pipe in ready:
                assert isinstance(pipe, Connection)
                self.hear(pipe)
            timeout_s = 0.0

    def hear(self, pipe: Connection) -> None:
        try:
            method, arguments = pipe.recv()
        except (EOFError, OSError):
            self.died(pipe)
            return
        if method == "done":
            self.members.pop(pipe).join()
        elif method == "broken":
            raise arguments
        else:
            getattr(self.onlooker, method)(*arguments)

    def start(self) -> None:
        """A worker comes to life, which takes seconds, and waits until there are cells."""
        here, there = self.context.Pipe(duplex=False)
        process = self.context.Process(target=_main, args=(there, self.post), daemon=True)
        process.start()
        there.close()
        self.members[here] = process

    def died(self, pipe: Connection) -> None:
        """Killed, or out of memory. Another takes its place; where workers go on dying, the study ends."""
        process = self.members.pop(pipe)
        process.join()
        self.lost += 1
        back = requeue_running(self.engine, self.study_id, name_of(self.host, process.pid))
        code = process.exitcode or 0
        how = f"signal {-code} ({signal.Signals(-code).name})" if code < 0 else f"status {code}"
        text = f"a worker (process {process.pid}) ended with {how}; {back} cell queued again"
        if self.lost > 3:
            raise StorageError(f"{text}; four workers have died, so the study stops: is there memory enough?")
        self.onlooker.note(0, text)
        self.start()


def _main(pipe: Connection, post: _Post) -> None:
    """What a worker's process does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the coordinator decides
    threading.Thread(target=_end_with_parent, daemon=True).start()
    activate(post.folders)
    repeatable(post.machine.device)
    try:
        torch.optim.SGD(
            [torch.zeros(1, requires_grad=True)], lr=0.1
        )  # the first optimizer of a process imports for a second
        post.go.wait()
        engine = open_store(post.url, create=False)
        work(
            Worker(
                engine,
                post.study_id,
                name_of(post.host, os.getpid()),
                post.machine,
                checkpoint_folder(post.url),
                _Told(pipe),
                post.stop.is_set,
            )
        )
    except (DatabaseError, StorageError) as error:
        pipe.send(("broken", error))
    except InterruptedError:
        pass
    else:
        pipe.send(("done", ()))


def _end_with_parent() -> None:
    parent: Any = multiprocessing.parent_process()
    wait([parent.sentinel])
    os._exit(1)
