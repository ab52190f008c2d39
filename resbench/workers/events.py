"""What workers tell of cells -> what a person sees: units by name, every new run once, whoever trained it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from resbench.store.open import Engine
from resbench.store.results.runs import runs_since


@dataclass(slots=True)
class Narrator:
    """`names`: of each trial, by id, what tables show and the epochs of its runs. `failed`: trials of which a cell failed.
    `told`: runs, by trial and seed.
    """

    watch: Watcher
    names: Mapping[int, tuple[str, int]]
    failed: list[int] = field(default_factory=list)
    told: set[tuple[int, int]] = field(default_factory=set)
    newest_run: int = 0

    def begin(self, names: Mapping[int, tuple[str, int]], stands: Collection[tuple[int, int]]) -> None:
        """Another stage, of these trials: a run that goes on in it is told of again, one that stands is not new in it."""
        self.names = {**self.names, **names}
        self.told = {*stands}

    def epoch(self, trial_id: int, seed: int, epoch: int, error_pct: float | None) -> None:
        name, of = self.names.get(trial_id, ("?", 0))
        self.watch.epoch(name, seed, of, epoch, error_pct)

    def saved(self, trial_id: int, seed: int, epochs: int, error_pct: float | None) -> None:
        if (trial_id, seed) not in self.told:
            self.told.add((trial_id, seed))
            name, of = self.names.get(trial_id, ("?", epochs))
            self.watch.saved(name, seed, of, epochs, error_pct)

    def ended(self, trial_id: int, error: str | None) -> None:
        """Whatever a unit does, the others go on."""
        if error is not None:
            self.failed.append(trial_id)
            self.watch.cell_failed(self.names.get(trial_id, ("?", 0))[0], error)

    def note(self, trial_id: int, text: str) -> None:
        named = self.names.get(trial_id)
        self.watch.note(text if named is None else f"{named[0]}: {text}")

    def catch_up(self, engine: Engine, study_id: int) -> None:
        """Tell of the runs that workers elsewhere have saved since it was last asked."""
        for run_id, trial_id, seed, status, error_pct, epochs in runs_since(engine, study_id, self.newest_run):
            self.newest_run = run_id
            self.saved(trial_id, seed, epochs, None if status == "diverged" else error_pct)


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


class Watcher(Protocol):
    """Who looks on while a study runs. `error_pct`: of val; None where it is not finite, and of a run that diverged."""

    def planned(self, cached: int, new: int) -> None: ...

    def epoch(self, unit: str, seed: int, of: int, epoch: int, error_pct: float | None) -> None: ...

    def saved(self, unit: str, seed: int, of: int, epochs: int, error_pct: float | None) -> None: ...

    def cell_failed(self, unit: str, error: str) -> None: ...

    def note(self, text: str) -> None: ...
