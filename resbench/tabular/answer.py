"""Answers of a frozen benchmark: one run after an epoch, or all seeds of a unit.  Errors are on val, in percent."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from math import inf
from statistics import fmean, median, stdev


@dataclass(frozen=True, slots=True)
class Record:
    """One run after `epoch` of its `epochs`; a run that diverged before the requested epoch is reported at its end.

    `status` is that of the run at its last epoch, and `running` before, when its end is unknown. `train_s`: seconds of training
    so far. `memory_mib`: memory that training keeps of one image. Values that are not recorded or not finite are None.
    """

    unit: str
    digest: str
    seed: int
    epoch: int
    epochs: int
    status: str
    val_error_pct: float | None
    val_loss: float | None
    train_error_pct: float | None
    train_loss: float | None
    lr: float | None
    train_s: float | None
    params: int
    macs: int | None
    memory_mib: float | None

    @property
    def score(self) -> float:
        """The value that a search minimises: the val error, or infinity for a run that diverged."""
        return inf if self.val_error_pct is None or self.status == "diverged" else self.val_error_pct


@dataclass(frozen=True, slots=True)
class Answer:
    """A unit over its seeds: mean, median and standard deviation of the val error of runs that have not diverged, in percent.

    There are `n` runs, of which some `converged` and some `diverged`; `missing` seeds of the study have no such run here.
    `train_s`: mean seconds of training of one run so far.
    """

    unit: str
    digest: str
    epoch: int | None
    runs: tuple[Record, ...]
    missing: int
    params: int
    macs: int | None
    memory_mib: float | None
    recipe: str = ""
    data: str = ""

    @property
    def identity(self) -> tuple[str, str, str]:
        """Digests of architecture, recipe and data: a study may search the recipe too."""
        return self.digest, self.recipe, self.data

    @property
    def n(self) -> int:
        return len(self.runs)

    @property
    def scores(self) -> tuple[float, ...]:
        return tuple(run.score for run in self.runs if run.score < inf)

    @property
    def converged(self) -> int:
        return len(self.scores)

    @property
    def diverged(self) -> int:
        return self.n - self.converged

    @property
    def mean(self) -> float | None:
        return fmean(self.scores) if self.scores else None

    @property
    def std(self) -> float | None:
        return stdev(self.scores) if self.converged > 1 else None

    @property
    def median(self) -> float | None:
        """The median over all runs; a diverged run is worse than any number. None: the median run diverged."""
        middle = median([run.score for run in self.runs]) if self.runs else inf
        return middle if middle < inf else None

    @property
    def train_s(self) -> float | None:
        return _mean([run.train_s for run in self.runs])

    def without(self, seeds: Collection[int]) -> Answer:
        """Return the answer without these seeds."""
        return replace(self, runs=tuple(run for run in self.runs if run.seed not in seeds))

    def __str__(self) -> str:
        """Return the answer in one line.

        >>> run = Record("plain", "a2_1", 0, 4, 4, "complete", 7.5, None, None, None, None, 2.0, 1320, 12752, 0.1)
        >>> print(Answer("plain", "a2_1", None, (run,), 4, 1320, 12752, 0.1))
        plain: val error 7.50 % (sd –, n = 1, 0 diverged, 4 missing), 1,320 params, 12,752 MACs, 2.0 s of training
        """
        at = "" if self.epoch is None else f" after epoch {self.epoch}"
        return (
            f"{self.unit}: val error{at} {_text(self.mean, '.2f')} % (sd {_text(self.std, '.2f')}, n = {self.n}, "
            f"{self.diverged} diverged, {self.missing} missing), {self.params:,} params, {_text(self.macs, ',')} MACs, "
            f"{_text(self.train_s, '.1f')} s of training"
        )


@dataclass(frozen=True, slots=True)
class TestAnswer:
    """Test errors of a unit's complete runs, in percent, by seed: they judge the result of a search and must not select."""

    __test__ = False  # pytest must not collect it

    unit: str
    digest: str
    scores: tuple[tuple[int, float], ...]

    @property
    def n(self) -> int:
        return len(self.scores)

    @property
    def mean(self) -> float | None:
        return _mean([score for _, score in self.scores])

    @property
    def std(self) -> float | None:
        return stdev(score for _, score in self.scores) if self.n > 1 else None


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _text(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)
