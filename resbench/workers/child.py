"""A process that trains cells, one after another, as its supervisor hands them over; it tells what happens through a pipe.

It is spawned, not forked: a fork of a process with threads may hang. It ends itself when its supervisor is gone.
"""

from __future__ import annotations

import os
import signal
import threading
import time
import traceback
from collections.abc import MutableSequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait

from resbench.errors import BadInput, DatabaseError, LeaseLost, StorageError
from resbench.plugins.load import blamed
from resbench.store.connection.retry import Patience
from resbench.store.open import Engine, open_store
from resbench.store.records import Cell
from resbench.workers.shutdown import PATIENCE_S
from resbench.workers.trainer import Train, Trainer

BEATS, WISH = 0, 1  # places in the memory shared with the supervisor: steps taken, and when it wished us to stop


@dataclass(frozen=True, slots=True)
class Post:
    """What a child must know when it starts. `shared`: without a lock, for who is killed while holding one keeps it."""

    url: str
    trainer: Trainer
    shared: MutableSequence[float]


@dataclass(frozen=True, slots=True)
class End:
    """How the attempt at a cell ended, as the child saw it. `kind` None: it is done. `told`: one line for who looks on."""

    kind: str | None = None
    error: str = ""
    told: str = ""


@dataclass(frozen=True, slots=True)
class Mouth:
    """Ears at the other end of the pipe: what is told arrives there as (method, arguments)."""

    pipe: Connection
    shared: MutableSequence[float]

    def beat(self) -> None:
        self.shared[BEATS] += 1
        if self.shared[WISH] and time.monotonic() - self.shared[WISH] > PATIENCE_S:
            raise InterruptedError("stopped within an epoch that takes too long to wait for")

    def epoch(self, seed: int, epoch: int, error_pct: float | None) -> None:
        self.pipe.send(("epoch", (seed, epoch, error_pct)))
        self.shared[BEATS] += 1
        if self.shared[WISH]:
            raise InterruptedError(f"seed {seed} was stopped after epoch {epoch}")

    def saved(self, seed: int, epochs: int, error_pct: float | None) -> None:
        self.pipe.send(("saved", (seed, epochs, error_pct)))

    def note(self, text: str) -> None:
        self.pipe.send(("note", (text,)))


def child(pipe: Connection, post: Post) -> None:
    """What the process does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the supervisor decides
    signal.signal(signal.SIGTERM, lambda signum, frame: _wish(post))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        train = post.trainer.ready()
        patience = Patience(note=Mouth(pipe, post.shared).note, stopped=lambda: bool(post.shared[WISH]))
        engine = patience.do(lambda: open_store(post.url, create=False))
    except Exception as error:
        pipe.send(("broken", (end_of(error),)))
        return
    with suppress(EOFError, BrokenPipeError):  # the supervisor is gone
        pipe.send(("ready", ()))
        while (cell := pipe.recv()) is not None:
            pipe.send(("end", (_trained(train, engine, cell, Mouth(pipe, post.shared)),)))


def _trained(train: Train, engine: Engine, cell: Cell, mouth: Mouth) -> End:
    try:
        train(engine, cell, mouth)
    except Exception as error:
        return end_of(error)
    return End()


def end_of(error: Exception) -> End:
    """What an exception says of a cell: `stopped`, `fenced`, `unfit` (this machine cannot train it), `database`, `storage`,
    `oom`, `plugin` or `error`.
    """
    trace, line = "".join(traceback.format_exception(error)), f"{type(error).__name__}: {error}"
    ours = (
        ("stopped", InterruptedError), ("fenced", LeaseLost), ("unfit", BadInput), ("database", DatabaseError),
        ("storage", StorageError),
    )  # fmt: skip
    for kind, type_ in ours:
        if isinstance(error, type_):
            return End(kind, str(error), str(error))
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError" or _says_memory(error):
        return End("oom", trace, line)
    plugin = blamed(error)
    return End("error", trace, line) if plugin is None else End("plugin", trace, str(plugin))


def _says_memory(error: Exception) -> bool:
    """torch's allocator on a CPU raises RuntimeError."""
    text = str(error)
    return isinstance(error, RuntimeError) and ("can't allocate memory" in text or "out of memory" in text)


def _wish(post: Post) -> None:
    post.shared[WISH] = post.shared[WISH] or time.monotonic()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
