"""Who takes the reports of a training, a worker and a study; and the relay from the second to the third."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from resbench.store.open import Engine
from resbench.store.results.runs import runs_since


class WorkerEvents(Protocol):
    """Takes a worker's reports on its cells, by the ids of their trials. `error_pct`: of val; None where it is not finite."""

    def epoch(self, trial_id: int, seed: int, epoch: int, error_pct: float | None) -> None: ...

    def saved(self, trial_id: int, seed: int, epochs: int, error_pct: float | None) -> None:
        """Report that a run is in the database. `error_pct` is None for one that diverged."""

    def ended(self, trial_id: int, error: str | None) -> None:
        """Report that a cell is closed; `error` says why it failed."""

    def note(self, trial_id: int, text: str) -> None:
        """Report a sentence. `trial_id` is 0 where it concerns no trial."""


class CellReporter(Protocol):
    """Takes the reports of a training on its cell. `step` and `epoch` raise InterruptedError where it is to stop."""

    def step(self) -> None:
        """Report a step: it is alive. Raises only where the end of the epoch is too far."""

    def epoch(self, seed: int, epoch: int, error_pct: float | None) -> None: ...

    def saved(self, seed: int, epochs: int, error_pct: float | None) -> None: ...

    def note(self, text: str) -> None: ...


class Progress(Protocol):
    """Shows a person how a study runs. `error_pct`: of val; None where it is not finite, and of a run that diverged."""

    def planned(self, cached: int, new: int) -> None: ...

    def epoch(self, unit: str, seed: int, of: int, epoch: int, error_pct: float | None) -> None: ...

    def saved(self, unit: str, seed: int, of: int, epochs: int, error_pct: float | None) -> None: ...

    def cell_failed(self, unit: str, error: str) -> None: ...

    def note(self, text: str) -> None: ...


@dataclass(slots=True)
class ProgressRelay:
    """Relays what workers report to a person: units by name, and every new run once, whoever trained it.

    Attributes:
        progress: Who is shown it.
        names: Of each trial, by id, what tables show and the epochs of its runs.
        failed: Trials of which a cell failed.
        reported: Runs that were shown, by trial and seed.
        newest_run: The newest run of the database that was looked at.
    """

    progress: Progress
    names: Mapping[int, tuple[str, int]]
    failed: list[int] = field(default_factory=list)
    reported: set[tuple[int, int]] = field(default_factory=set)
    newest_run: int = 0

    def begin(self, names: Mapping[int, tuple[str, int]], saved: Collection[tuple[int, int]]) -> None:
        """Begin another stage, of these trials: a run that goes on in it is shown again, one of `saved` is not new in it."""
        self.names = {**self.names, **names}
        self.reported = {*saved}

    def epoch(self, trial_id: int, seed: int, epoch: int, error_pct: float | None) -> None:
        name, of = self.names.get(trial_id, ("?", 0))
        self.progress.epoch(name, seed, of, epoch, error_pct)

    def saved(self, trial_id: int, seed: int, epochs: int, error_pct: float | None) -> None:
        if (trial_id, seed) not in self.reported:
            self.reported.add((trial_id, seed))
            name, of = self.names.get(trial_id, ("?", epochs))
            self.progress.saved(name, seed, of, epochs, error_pct)

    def ended(self, trial_id: int, error: str | None) -> None:
        """Show why a cell failed; the others go on."""
        if error is not None:
            self.failed.append(trial_id)
            self.progress.cell_failed(self.names.get(trial_id, ("?", 0))[0], error)

    def note(self, trial_id: int, text: str) -> None:
        named = self.names.get(trial_id)
        self.progress.note(text if named is None else f"{named[0]}: {text}")

    def catch_up(self, engine: Engine, study_id: int) -> None:
        """Show the runs that workers elsewhere have saved since it was last asked."""
        for run_id, trial_id, seed, status, error_pct, epochs in runs_since(engine, study_id, self.newest_run):
            self.newest_run = run_id
            self.saved(trial_id, seed, epochs, None if status == "diverged" else error_pct)
