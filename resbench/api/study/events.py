"""What a running study tells, as typed events; who is told is a function, or a line on stderr for each run."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TextIO

from resbench.escape import LONGEST, printable


@dataclass(frozen=True, slots=True)
class RunsPlanned:
    """How many runs of the study are there already, and how many are to be trained now."""

    cached: int
    new: int


@dataclass(frozen=True, slots=True)
class EpochEnded:
    """A run has ended an epoch, of `epochs`. `val_error_pct` is None where it is not finite."""

    unit: str
    seed: int
    epoch: int
    epochs: int
    val_error_pct: float | None


@dataclass(frozen=True, slots=True)
class RunSaved:
    """A run is in the database: no kill can lose it. `val_error_pct` is None for one that diverged.

    `epochs` of `planned_epochs` were trained.
    """

    unit: str
    seed: int
    epochs: int
    planned_epochs: int
    val_error_pct: float | None


@dataclass(frozen=True, slots=True)
class CellFailed:
    """Runs of a unit could not be trained; the others go on."""

    unit: str
    error: str


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence that a person should read."""

    text: str


Event = RunsPlanned | EpochEnded | RunSaved | CellFailed | Message
Progress = bool | Callable[[Event], object]


@dataclass(slots=True)
class Notifier:
    """Hears what a study's processes tell, and passes it on as events. It counts runs that are planned and saved."""

    notify: Callable[[Event], object]
    total: int = 0
    saved_runs: int = 0

    def planned(self, cached: int, new: int) -> None:
        self.total += new
        self.notify(RunsPlanned(cached, new))

    def epoch(self, unit: str, seed: int, of: int, epoch: int, error_pct: float | None) -> None:
        self.notify(EpochEnded(unit, seed, epoch, of, error_pct))

    def saved(self, unit: str, seed: int, of: int, epochs: int, error_pct: float | None) -> None:
        self.saved_runs += 1
        self.notify(RunSaved(unit, seed, epochs, of, error_pct))

    def cell_failed(self, unit: str, error: str) -> None:
        self.notify(CellFailed(unit, error))

    def note(self, text: str) -> None:
        self.notify(Message(text))


def notifier(progress: Progress) -> Notifier:
    """Return who passes events to the function; True writes lines to stderr, False tells nobody."""
    if callable(progress):
        return Notifier(progress)
    return Notifier(Lines(sys.stderr).write if progress else lambda event: None)


@dataclass(slots=True)
class Lines:
    """Writes a line for each event but epochs, with the time that is left."""

    stream: TextIO
    total: int = 0
    done: int = 0
    began: float = field(default_factory=time.monotonic)

    def write(self, event: Event) -> None:
        text = self.text(event)
        if text:
            self.stream.write(printable(text, LONGEST) + "\n")
            self.stream.flush()

    def text(self, event: Event) -> str:
        """Return the line, or nothing for an event that has none."""
        match event:
            case RunsPlanned(cached, new):
                self.total += new
                return f"{cached} cached, {new} new"
            case RunSaved(unit, seed, epochs, _, error_pct):
                self.done += 1
                ended = "diverged" if error_pct is None else f"val error {error_pct:.2f} %"
                text = f"{unit}, seed {seed}: {ended} after {epochs} epochs"
                if not self.total:  # of a study that another process coordinates
                    return text
                spent = time.monotonic() - self.began
                left = spent / self.done * (self.total - self.done)
                return f"[{self.done}/{self.total}] {text} ({spent:.0f} s, about {left:.0f} s left)"
            case CellFailed(unit, error):
                return f"FAILED {unit}: {error}"
            case Message(text):
                return text
            case EpochEnded():
                return ""
