"""One child and the cell that it has: handed over, watched for its limits, ended where it goes over them.

How an attempt ended is said here in one word; what that means for the cell is for settle.py.
"""

from __future__ import annotations

import signal
import time
from collections.abc import MutableSequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.sharedctypes import RawArray
from typing import Any

from resbench.store.records import Cell
from resbench.workers.cell_plan import Limits, limits_of
from resbench.workers.child import BEATS, WISH, End, Post, child
from resbench.workers.processes import memory_mib
from resbench.workers.trainer import Trainer

GRACE_S = 10.0  # between SIGTERM and SIGKILL


@dataclass(slots=True)
class Work:
    """A cell that is being trained. `epochs`: of each seed, as told."""

    cell: Cell
    limits: Limits
    began: float = field(default_factory=time.monotonic)
    moved: float = field(default_factory=time.monotonic)
    beats: float = 0.0
    epochs: dict[int, int] = field(default_factory=dict)

    @property
    def reached(self) -> int:
        return sum(self.epochs.values())


class Slot:
    """Starts its child; `ready` once that can take a cell."""

    def __init__(self, context: Any, url: str, trainer: Trainer) -> None:
        self.shared: MutableSequence[float] = RawArray("d", 2)
        self.pipe, there = context.Pipe(duplex=True)
        assert isinstance(self.pipe, Connection)
        self.process: BaseProcess = context.Process(
            target=child, args=(there, Post(url, trainer, self.shared)), daemon=True
        )
        self.process.start()
        there.close()
        self.trainer = trainer
        self.ready = False
        self.work: Work | None = None
        self.verdict: End | None = None  # why we end it ourselves
        self.ending_since: float | None = None

    def is_free(self) -> bool:
        return self.ready and self.work is None and self.ending_since is None

    def hand(self, cell: Cell) -> None:
        """A child that dies before it has taken it is heard of like any other."""
        self.work = Work(cell, limits_of(cell.plan), beats=self.shared[BEATS])
        try:
            self.pipe.send(cell)
        except OSError:
            self.process.kill()

    def wish_to_stop(self) -> None:
        self.shared[WISH] = self.shared[WISH] or time.monotonic()

    def check(self) -> None:
        """End the child where its cell goes over its limits; kill it where it does not end."""
        now = time.monotonic()
        if self.ending_since is not None:
            if now - self.ending_since > GRACE_S:
                self.process.kill()
            return
        if self.work is None:
            return
        if self.shared[BEATS] != self.work.beats:
            self.work.beats, self.work.moved = self.shared[BEATS], now
        limits = self.work.limits
        if now - self.work.moved > limits.stall_s:
            self.end(End("stalled", text := f"took no step for {limits.stall_s:g} s (plan.stall_s)", text))
        elif limits.cell_s is not None and now - self.work.began > limits.cell_s:
            self.end(End("over_time", text := f"took over {limits.cell_s:g} s (plan.cell_s)", text))
        elif limits.memory_mib is not None and (used := memory_mib(self.process.pid or 0) or 0) > limits.memory_mib:
            text = f"took {used:.0f} MiB of memory; the limit is {limits.memory_mib:g} (plan.memory_mib)"
            self.end(End("oom", text, text))

    def end(self, verdict: End) -> None:
        self.verdict, self.ending_since = verdict, time.monotonic()
        self.process.terminate()

    def died(self) -> End:
        """The process has ended, or is about to: how, and why."""
        self.process.join(GRACE_S)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.pipe.close()
        if self.verdict is not None:
            return self.verdict
        code = self.process.exitcode or 0
        if code >= 0:
            text = f"its process ended with status {code}"
            return End("crash", text, text)
        name = signal.Signals(-code).name
        hint = "; the kernel does so where memory is short" if -code == signal.SIGKILL else ""
        text = f"its process (number {self.process.pid}) was ended by {name}{hint}"
        return End("killed" if name in ("SIGKILL", "SIGTERM", "SIGHUP") else "crash", text, text)
