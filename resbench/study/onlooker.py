"""Who is told what a worker does, in plain numbers: it may be told from another process."""

from __future__ import annotations

from typing import Protocol


class Onlooker(Protocol):
    """Trials by their ids. `error_pct`: of val; None where it is not finite."""

    def epoch(self, trial_id: int, seed: int, epoch: int, error_pct: float | None) -> None: ...

    def saved(self, trial_id: int, seed: int, epochs: int, error_pct: float | None) -> None:
        """A run is in the database. `error_pct` is None for one that diverged."""

    def ended(self, trial_id: int, error: str | None) -> None:
        """A cell is closed; `error` says why it failed."""

    def note(self, trial_id: int, text: str) -> None:
        """`trial_id` is 0 for what is of no trial."""


class Ears(Protocol):
    """What a training tells of its cell, and how it hears that it is to stop: both raise InterruptedError then."""

    def beat(self) -> None:
        """At every step: it is alive. Raises only where the end of the epoch is too far."""

    def epoch(self, seed: int, epoch: int, error_pct: float | None) -> None: ...

    def saved(self, seed: int, epochs: int, error_pct: float | None) -> None: ...

    def note(self, text: str) -> None: ...
