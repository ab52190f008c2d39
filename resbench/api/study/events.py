"""Typed events of a running study, which are passed to a function or written as lines to stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TextIO

from resbench.escape import LONGEST, printable


@dataclass(frozen=True, slots=True)
class RunsPlanned:
    """The number of runs that exist already, and the number that will be trained now."""

    cached: int
    new: int


@dataclass(frozen=True, slots=True)
class EpochEnded:
    """The end of an epoch of a run, of `epochs` in total. `val_error_pct` is None if it is not finite."""

    unit: str
    seed: int
    epoch: int
    epochs: int
    val_error_pct: float | None


@dataclass(frozen=True, slots=True)
class RunSaved:
    """A run that was saved in the database, so that no kill can lose it. `val_error_pct` is None if it diverged.

    `epochs` of `planned_epochs` were trained.
    """

    unit: str
    seed: int
    epochs: int
    planned_epochs: int
    val_error_pct: float | None


@dataclass(frozen=True, slots=True)
class CellFailed:
    """A cell whose runs could not be trained; the others continue."""

    unit: str
    error: str


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence for the user."""

    text: str


Event = RunsPlanned | EpochEnded | RunSaved | CellFailed | Message
Progress = bool | Callable[[Event], object]


@dataclass(slots=True)
class Notifier:
    """An observer of a study's processes that passes events on, and counts planned and saved runs."""

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
    """Return an observer that passes events to the function; True writes lines to stderr, False discards them."""
    if callable(progress):
        return Notifier(progress)
    return Notifier(Lines(sys.stderr).write if progress else lambda event: None)


@dataclass(slots=True)
class Lines:
    """A writer of a line for each event except epochs, with the time left."""

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
