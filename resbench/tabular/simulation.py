"""A search and a frozen benchmark -> what it would have found in so many seconds or epochs of training.  Nothing is trained.

The clock is charged with the recorded seconds of training alone; a run that stopped at an epoch goes on from there, as a
study's runs do. Only val is seen. The budget is exact: a training that would end after it gives no result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from random import Random
from statistics import fmean
from typing import TYPE_CHECKING

from resbench.errors import BadInput
from resbench.tabular.answer import Answer, Record

if TYPE_CHECKING:
    from resbench.tabular.bench import Bench

MAX_FREE = 1_000  # trainings in a row that cost nothing: such a search goes in circles


class OutOfBudget(Exception):  # noqa: N818  (it ends every search, so it is no error)
    """Raised by `train` once the budget is spent; `Bench.simulate` catches it."""


@dataclass(frozen=True, slots=True)
class Step:
    """One training, and the clock when it was done: seconds of training and epochs so far."""

    seconds: float
    epochs: int
    record: Record


class Simulation:
    """What a search is given: `units` to choose from, `random` to draw by, and `train`; and what is left of it afterwards."""

    def __init__(self, bench: Bench, *, seconds: float | None, epochs: int | None, seed: int) -> None:
        for name, limit in (("seconds", seconds), ("epochs", epochs)):
            if limit is not None and not 0 < limit < inf:
                raise BadInput(f"{name} (={limit}): a number above 0 is needed")
        if seconds is None and epochs is None:
            raise BadInput("a search needs a budget: seconds=600, epochs=1000, or both")
        self.units = bench.units
        self.random = Random(seed)
        self.seconds, self.epochs = 0.0, 0
        self.history: list[Step] = []
        self._bench, self._free = bench, 0
        self._limits = (inf if seconds is None else seconds, inf if epochs is None else epochs)
        self._stands: dict[str, dict[int, Record]] = {}  # of each unit by its digest: how far its runs are, by seed

    def train(self, unit: str, *, epoch: int | None = None, seed: int | None = None) -> Record:
        """Train a run up to an epoch (else to its end) and tell its val error. Without a seed, one that the unit has not run.

        When every seed of the unit has run, one of them is told of again, at no cost. Raises OutOfBudget.
        """
        answer = self._bench.query(unit, epoch=epoch)
        begun = self._stands.setdefault(answer.digest, {})
        fresh = [run for run in answer.runs if run.seed not in begun]
        if seed is not None:
            run = self._bench.query(unit, epoch=epoch, seed=seed)
        elif answer.runs:
            run = self.random.choice(fresh or list(answer.runs))
        else:
            raise BadInput(f"{unit}: has no run to tell of")
        before = begun.get(run.seed)
        if run.train_s is None and self._limits[0] < inf:
            raise BadInput(f"{unit}, seed {run.seed}: its seconds were not recorded; give a budget in epochs")
        further = before is None or run.epoch > before.epoch
        seconds = max(0.0, (run.train_s or 0.0) - ((before.train_s if before else None) or 0.0)) if further else 0.0
        self._charge(seconds, run.epoch - (before.epoch if before else 0) if further else 0)
        if further:
            begun[run.seed] = run
        self.history.append(Step(self.seconds, self.epochs, run))
        return run

    def best(self) -> str | None:
        """The unit whose runs, as far as this search trained them to their end, have the lowest mean val error; ties by name.

        One in which fewer than half of them converged fails. A run tells of itself, not of the next seed: see `unseen`.
        """
        means = {}
        for runs in self._stands.values():
            ended = [run for run in runs.values() if run.epoch == run.epochs]
            scores = [run.score for run in ended if run.score < inf]
            if scores and 2 * len(scores) >= len(ended):
                means[ended[0].unit] = fmean(scores)
        return min(means, key=lambda unit: (means[unit], unit)) if means else None

    def unseen(self, unit: str) -> Answer:
        """The runs of a unit that this search has not seen: what it chose is judged by them, since choosing flatters."""
        return self._bench.query(unit).without(self._stands.get(self._bench.query(unit).digest, {}))

    def run(self, search: Callable[[Simulation], object]) -> None:
        """Until it ends, or its budget does."""
        try:
            search(self)
        except OutOfBudget:
            return

    def _charge(self, seconds: float, epochs: int) -> None:
        self._free = self._free + 1 if not epochs else 0
        if self._free > MAX_FREE:
            raise OutOfBudget(f"{MAX_FREE} trainings in a row were of runs that stand: the search goes in circles")
        if self.seconds + seconds > self._limits[0] or self.epochs + epochs > self._limits[1]:
            self._limits = (0.0, 0.0)  # time has run out in the middle of it
            raise OutOfBudget("the budget is spent")
        self.seconds += seconds
        self.epochs += epochs
