"""What a running study tells on stderr: a live display on a terminal, plain lines where it is piped."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from threading import Lock
from types import TracebackType
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from resbench.spec.names import printable


class EpochLike(Protocol):
    @property
    def epoch(self) -> int: ...
    @property
    def val_error_pct(self) -> float: ...


class OutcomeLike(Protocol):
    @property
    def status(self) -> str: ...
    @property
    def epochs(self) -> Sequence[EpochLike]: ...


class StudyProgress:
    """Runs done, the run under way with its epoch and error, time left. Use as a context manager."""

    def __init__(self) -> None:
        self.console = Console(file=sys.stderr, highlight=False)
        self.live = self.console.is_terminal
        self.bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=self.console,
            disable=not self.live,
            transient=True,
        )
        self.task: TaskID = self.bar.add_task("runs", total=None)
        self.total = self.done = self.epochs_done = 0
        self.began = time.monotonic()
        self.lock = Lock()

    def __enter__(self) -> StudyProgress:
        self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.stop()

    def planned(self, cached: int, new: int) -> None:
        """Once, or at each look of a race."""
        if not self.total:
            self.began = time.monotonic()
        self.total += new
        self.line(f"{cached} cached, {new} new")

    def epoch(self, unit: str, seed: int, of: int, epoch: EpochLike) -> None:
        """Seeds train side by side, so this comes from several threads."""
        with self.lock:
            self._epoch(unit, seed, of, epoch)

    def _epoch(self, unit: str, seed: int, of: int, epoch: EpochLike) -> None:
        self.epochs_done += 1
        if self.live:
            said = f"{unit}, seed {seed}: epoch {epoch.epoch}/{of}, val error {epoch.val_error_pct:.1f} %"
            self.bar.update(self.task, description=said, total=self.total * of, completed=self.epochs_done)

    def saved(self, unit: str, seed: int, of: int, outcome: OutcomeLike) -> None:
        """A run is in the database; what is told here survives any kill."""
        last = outcome.epochs[-1]
        with self.lock:
            self.done += 1
            self.epochs_done += of - last.epoch  # it may have ended early
            spent = time.monotonic() - self.began
            left = spent / self.done * (self.total - self.done)
            word = "diverged, " if outcome.status == "diverged" else ""
            text = f"{unit}, seed {seed}: {word}val error {last.val_error_pct:.2f} % after {last.epoch} epochs"
            self.line(f"[{self.done}/{self.total}] {text} ({spent:.0f} s, about {left:.0f} s left)")

    def cell_failed(self, unit: str, error: str) -> None:
        self.line(f"FAILED {unit}: {error}")

    def note(self, text: str) -> None:
        self.line(text)

    def line(self, text: str) -> None:
        if self.live:
            self.console.print(printable(text, 4000), markup=False, soft_wrap=True)
        else:  # past rich, which prints what it holds a second time where Ctrl-C comes in between
            print(printable(text, 4000), file=self.console.file, flush=True)
