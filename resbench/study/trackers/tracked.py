"""What a tracker is given, and what it owes.  Plain numbers and texts; nothing of a test split is among them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

Scalar = str | int | float | bool


@dataclass(frozen=True, slots=True)
class TrackedRun:
    """One run of a study, as far as it was trained. `key`: the same for the same run on any machine; 16 hexadecimal digits.

    `curves`: by name, the value after each epoch. `row`: its final numbers. `began`, `ended`: UTC, with their zone.
    """

    key: str
    study: str
    unit: str
    seed: int
    status: str
    params: Mapping[str, Scalar]
    curves: Mapping[str, Mapping[int, float]]
    row: Mapping[str, float]
    tags: Mapping[str, str]
    began: datetime
    ended: datetime

    @property
    def name(self) -> str:
        return f"{self.unit}, seed {self.seed}"

    @property
    def is_whole(self) -> bool:
        """Whether it was trained to its end: it did not diverge, and no search has stopped it."""
        return self.status == "complete"


@dataclass(frozen=True, slots=True)
class TrackedStudy:
    """A study at the end of `study run`. `summary`: its ranking in Markdown. `report` makes the page of `resbench report`."""

    name: str
    summary: str
    report: Callable[[], str]


class Tracker(Protocol):
    """Made with the arguments of `track`; what it raises stops no run. All calls come from one thread."""

    def begin(self, study: str) -> None:
        """Open the place that runs of the study go to."""

    def has(self, run: TrackedRun) -> bool:
        """Return whether the run was recorded whole, now or in an earlier start: the place itself is what knows."""

    def record(self, run: TrackedRun) -> None:
        """Write the run. One that a kill left half written is written again."""

    def finish(self, study: TrackedStudy) -> None:
        """Write what is known of the whole study, in the place of what an earlier start wrote."""

    def close(self) -> None:
        """Let go of what is open; nothing more is written."""
