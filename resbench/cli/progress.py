"""The progress of a study on stderr: a live display on a terminal, plain lines in a pipe."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from resbench.api.study.events import CellFailed, EpochEnded, Event, Message, RunSaved, RunsPlanned
from resbench.escape import LONGEST, printable
from resbench.figures.terminal_curves import Curves


class StudyProgress:
    """A context manager that shows the finished runs, the current run with its epoch and error, and the time left.

    With `curves` it also draws the errors, epoch by epoch, of the runs of this process and its workers.
    """

    def __init__(self, *, curves: bool = False) -> None:
        self.console = Console(file=sys.stderr, highlight=False)
        self.live = self.console.is_terminal
        self.curves = Curves() if curves and self.live else None
        self.bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=self.console,
            disable=not self.live,
            transient=True,
        )
        self.picture = Live(
            get_renderable=self._picture, console=self.console, refresh_per_second=4, transient=self.curves is None
        )
        self.task: TaskID = self.bar.add_task("runs", total=None)
        self.total = self.done = self.epochs_done = 0
        self.began = time.monotonic()

    def __enter__(self) -> StudyProgress:
        if self.curves is None:
            self.bar.start()
        else:
            self.picture.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the display; later lines are plain."""
        self.bar.stop()
        self.picture.stop()

    def _picture(self) -> RenderableType:
        if self.curves is None:
            return self.bar
        width, height = self.console.size
        rows = max(4, min(16, height - 12))
        return Group(
            self.curves.drawn(width, rows, ascii_only=self.console.options.ascii_only), self.bar.get_renderable()
        )

    def handle(self, event: Event) -> None:
        """Show an event of a study."""
        match event:
            case RunsPlanned(cached, new):
                self.planned(cached, new)
            case EpochEnded(unit, seed, epoch, epochs, error_pct):
                self.epoch(unit, seed, epochs, epoch, error_pct)
            case RunSaved(unit, seed, epochs, planned, error_pct):
                self.saved(unit, seed, planned, epochs, error_pct)
            case CellFailed(unit, error):
                self.cell_failed(unit, error)
            case Message(text):
                self.note(text)

    def planned(self, cached: int, new: int) -> None:
        """Add planned runs: once, or at each interim look of a race."""
        if not self.total:
            self.began = time.monotonic()
        self.total += new
        self.line(f"{cached} cached, {new} new")

    def epoch(self, unit: str, seed: int, of: int, epoch: int, error_pct: float | None) -> None:
        self.epochs_done += 1
        if self.curves is not None:
            self.curves.add(unit, seed, of, epoch, error_pct)
        if self.live:
            result = "diverged" if error_pct is None else f"val error {error_pct:.1f} %"
            what = f"{unit}, seed {seed}: epoch {epoch}/{of or '?'}, {result}"
            self.bar.update(
                self.task,
                description=printable(what, LONGEST),
                total=self.total * of or None,
                completed=self.epochs_done,
            )

    def saved(self, unit: str, seed: int, of: int, epochs: int, error_pct: float | None) -> None:
        """Show a run that was saved in the database, so that no kill can lose it."""
        self.done += 1
        self.epochs_done += of - epochs  # it may have ended early
        if self.curves is not None:
            self.curves.end(unit, seed, error_pct)
        result = "diverged" if error_pct is None else f"val error {error_pct:.2f} %"
        text = f"{unit}, seed {seed}: {result} after {epochs} epochs"
        if not self.total:  # another process runs the study
            self.line(text)
            return
        spent = time.monotonic() - self.began
        left = spent / self.done * (self.total - self.done)
        self.line(f"[{self.done}/{self.total}] {text} ({spent:.0f} s, about {left:.0f} s left)")

    def cell_failed(self, unit: str, error: str) -> None:
        self.line(f"FAILED {unit}: {error}")

    def note(self, text: str) -> None:
        self.line(text)

    def line(self, text: str) -> None:
        if self.live:
            self.console.print(Text(printable(text, LONGEST)), soft_wrap=True)
        else:  # without rich, which prints its buffer twice if Ctrl-C interrupts it
            print(printable(text, LONGEST), file=self.console.file, flush=True)
