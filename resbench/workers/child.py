"""A process that trains cells, one after another, as its supervisor hands them over, and reports through a pipe.

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

STEPS, STOP = 0, 1  # places in the memory shared with the supervisor: steps taken, and when it asked us to stop


@dataclass(frozen=True, slots=True)
class AttemptEnd:
    """How the attempt at a cell ended, as the child saw it.

    Attributes:
        kind: What ended it; None: it is done.
        error: Why, with the trace of an exception.
        summary: Why, in one line for a person.
    """

    kind: str | None = None
    error: str = ""
    summary: str = ""


@dataclass(frozen=True, slots=True)
class PipeReporter:
    """Reports to the supervisor at the other end of a pipe, where (method, arguments) arrive.

    `shared` is memory without a lock, for who is killed while holding one keeps it.
    """

    pipe: Connection
    shared: MutableSequence[float]

    def step(self) -> None:
        self.shared[STEPS] += 1
        if self.shared[STOP] and time.monotonic() - self.shared[STOP] > PATIENCE_S:
            raise InterruptedError("stopped within an epoch that takes too long to wait for")

    def epoch(self, seed: int, epoch: int, error_pct: float | None) -> None:
        self.pipe.send(("epoch", (seed, epoch, error_pct)))
        self.shared[STEPS] += 1
        if self.shared[STOP]:
            raise InterruptedError(f"seed {seed} was stopped after epoch {epoch}")

    def saved(self, seed: int, epochs: int, error_pct: float | None) -> None:
        self.pipe.send(("saved", (seed, epochs, error_pct)))

    def note(self, text: str) -> None:
        self.pipe.send(("note", (text,)))


def run_child(pipe: Connection, url: str, trainer: Trainer, shared: MutableSequence[float]) -> None:
    """Train the cells that arrive through the pipe, until there are no more; this is what the process does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the supervisor decides
    signal.signal(signal.SIGTERM, lambda signum, frame: _note_stop(shared))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    reporter = PipeReporter(pipe, shared)
    try:
        train = trainer.ready()
        patience = Patience(note=reporter.note, stopped=lambda: bool(shared[STOP]))
        engine = patience.do(lambda: open_store(url, create=False))
    except Exception as error:
        pipe.send(("broken", (classify_error(error),)))
        return
    with suppress(EOFError, BrokenPipeError):  # the supervisor is gone
        pipe.send(("ready", ()))
        while (cell := pipe.recv()) is not None:
            pipe.send(("end", (_attempt(train, engine, cell, reporter),)))


def _attempt(train: Train, engine: Engine, cell: Cell, reporter: PipeReporter) -> AttemptEnd:
    try:
        train(engine, cell, reporter)
    except Exception as error:
        return classify_error(error)
    return AttemptEnd()


def classify_error(error: Exception) -> AttemptEnd:
    """Return what an exception means for its cell.

    It is `stopped`, `fenced`, `unfit` (this machine cannot train it), `database`, `storage`, `oom`, `plugin` or `error`.
    """
    trace, line = "".join(traceback.format_exception(error)), f"{type(error).__name__}: {error}"
    ours = (
        ("stopped", InterruptedError), ("fenced", LeaseLost), ("unfit", BadInput), ("database", DatabaseError),
        ("storage", StorageError),
    )  # fmt: skip
    for kind, type_ in ours:
        if isinstance(error, type_):
            return AttemptEnd(kind, str(error), str(error))
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError" or _is_allocator_error(error):
        return AttemptEnd("oom", trace, line)
    plugin = blamed(error)
    return AttemptEnd("error", trace, line) if plugin is None else AttemptEnd("plugin", trace, str(plugin))


def _is_allocator_error(error: Exception) -> bool:
    """Return whether it is torch's allocator on a CPU, which raises RuntimeError."""
    text = str(error)
    return isinstance(error, RuntimeError) and ("can't allocate memory" in text or "out of memory" in text)


def _note_stop(shared: MutableSequence[float]) -> None:
    shared[STOP] = shared[STOP] or time.monotonic()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
