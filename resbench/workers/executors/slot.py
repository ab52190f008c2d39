"""One child and the cell that it has: handed over, watched for its limits, ended where it goes over them.

Here it is found how an attempt ended; what that means for its cell is for attempts.py.
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
from resbench.workers.cell_plan import CellLimits, CellPlan
from resbench.workers.child import STEPS, STOP, AttemptEnd, run_child
from resbench.workers.processes import memory_mib
from resbench.workers.trainer import Trainer

GRACE_S = 10.0  # between SIGTERM and SIGKILL


@dataclass(slots=True)
class CellInTraining:
    """A cell that is being trained. `moved`: when it last took a step. `epochs`: of each seed, as reported."""

    cell: Cell
    limits: CellLimits
    began: float = field(default_factory=time.monotonic)
    moved: float = field(default_factory=time.monotonic)
    steps: float = 0.0
    epochs: dict[int, int] = field(default_factory=dict)

    @property
    def reached(self) -> int:
        return sum(self.epochs.values())


class Slot:
    """One child process; `ready` once it can take a cell."""

    def __init__(self, context: Any, url: str, trainer: Trainer) -> None:
        self.shared: MutableSequence[float] = RawArray("d", 2)
        self.pipe, there = context.Pipe(duplex=True)
        assert isinstance(self.pipe, Connection)
        self.process: BaseProcess = context.Process(
            target=run_child, args=(there, url, trainer, self.shared), daemon=True
        )
        self.process.start()
        there.close()
        self.trainer = trainer
        self.ready = False
        self.current: CellInTraining | None = None
        self.ended_by: AttemptEnd | None = None  # a limit of the cell, or want of memory
        self.ending_since: float | None = None

    def is_free(self) -> bool:
        """Return whether it can take a cell."""
        return self.ready and self.current is None and self.ending_since is None

    def assign(self, cell: Cell) -> None:
        """Hand the child a cell. One that dies before it has taken it is heard of like any other."""
        self.current = CellInTraining(cell, CellPlan.from_json(cell.plan).limits, steps=self.shared[STEPS])
        try:
            self.pipe.send(cell)
        except OSError:
            self.process.kill()

    def request_stop(self) -> None:
        """Ask the child to stop at the end of its epoch."""
        self.shared[STOP] = self.shared[STOP] or time.monotonic()

    def check(self) -> None:
        """End the child where its cell goes over its limits; kill it where it does not end."""
        now = time.monotonic()
        if self.ending_since is not None:
            if now - self.ending_since > GRACE_S:
                self.process.kill()
            return
        if self.current is None:
            return
        if self.shared[STEPS] != self.current.steps:
            self.current.steps, self.current.moved = self.shared[STEPS], now
        limits = self.current.limits
        if now - self.current.moved > limits.stall_s:
            self.end(AttemptEnd("stalled", text := f"took no step for {limits.stall_s:g} s (plan.stall_s)", text))
        elif limits.cell_s is not None and now - self.current.began > limits.cell_s:
            self.end(AttemptEnd("over_time", text := f"took over {limits.cell_s:g} s (plan.cell_s)", text))
        elif limits.memory_mib is not None and (used := memory_mib(self.process.pid or 0) or 0) > limits.memory_mib:
            text = f"took {used:.0f} MiB of memory; the limit is {limits.memory_mib:g} (plan.memory_mib)"
            self.end(AttemptEnd("oom", text, text))

    def end(self, why: AttemptEnd) -> None:
        """End the child, for this reason."""
        self.ended_by, self.ending_since = why, time.monotonic()
        self.process.terminate()

    def died(self) -> AttemptEnd:
        """Return how the process ended, and why, once it has."""
        self.process.join(GRACE_S)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.pipe.close()
        if self.ended_by is not None:
            return self.ended_by
        code = self.process.exitcode or 0
        if code >= 0:
            text = f"its process ended with status {code}"
            return AttemptEnd("crash", text, text)
        name = signal.Signals(-code).name
        hint = "; the kernel does so where memory is short" if -code == signal.SIGKILL else ""
        text = f"its process (number {self.process.pid}) was ended by {name}{hint}"
        return AttemptEnd("killed" if name in ("SIGKILL", "SIGTERM", "SIGHUP") else "crash", text, text)
