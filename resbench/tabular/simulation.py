"""A search and a frozen benchmark -> what it would have found in so many seconds or epochs of training.  Nothing is trained.

The clock is charged with the recorded seconds of training alone; a run that stopped at an epoch goes on from there, as a
study's runs do. Only val is seen. The budget is exact: a training that would end after it gives no result.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from math import inf
from random import Random
from statistics import fmean

from resbench.errors import BadInput
from resbench.tabular.answer import Answer, Record

MAX_FREE = 1_000  # trainings in a row that cost nothing: such a search goes in circles


class OutOfBudget(Exception):  # noqa: N818  (it ends every search, so it is no error)
    """Raised by `train` once the budget is spent; `Bench.simulate` catches it."""


@dataclass(frozen=True, slots=True)
class Step:
    """One training, and the clock when it was done: seconds of training and epochs so far."""

    seconds: float
    epochs: int
    record: Record


@dataclass(frozen=True, slots=True)
class Budget:
    """What a search may spend: seconds of training, epochs, or both."""

    seconds: float | None
    epochs: int | None

    def __post_init__(self) -> None:
        for name, limit in (("seconds", self.seconds), ("epochs", self.epochs)):
            if limit is not None and not 0 < limit < inf:
                raise BadInput(f"{name} (={limit}): a number above 0 is needed")
        if self.seconds is None and self.epochs is None:
            raise BadInput("a search needs a budget: seconds=600, epochs=1000, or both")

    def allows(self, seconds: float, epochs: int) -> bool:
        return (self.seconds is None or seconds <= self.seconds) and (self.epochs is None or epochs <= self.epochs)


Identity = tuple[str, str, str]


class Simulation:
    """What a search is given: `units` to choose from, `random` to draw by, and `train`; and what came of it.

    `seconds` and `epochs` are spent; `history` has every training in its order.
    """

    def __init__(
        self, units: Sequence[str], ask: Callable[[str, int | None], Answer], budget: Budget, seed: int, shown: str
    ) -> None:
        """`shown`: the benchmark's name, for what it does not hold."""
        self.units = tuple(units)
        self.random = Random(seed)
        self.seconds, self.epochs = 0.0, 0
        self.history: list[Step] = []
        self._ask, self._budget, self._shown = ask, budget, shown
        self._stands: dict[
            Identity, dict[int, Record]
        ] = {}  # of each unit by its identity: how far its runs are, by seed
        self._free = 0
        self._spent = False

    def train(self, unit: str, *, epoch: int | None = None, seed: int | None = None) -> Record:
        """Train a run up to an epoch (else to its end) and tell its val error. Without a seed, one that the unit has not run.

        When every seed of the unit has run, one of them is told of again, at no cost. Raises OutOfBudget.
        """
        if self._spent:
            raise OutOfBudget("the budget is spent")
        answer = self._ask(unit, epoch)
        begun = self._stands.setdefault(answer.identity, {})
        run = self._run(answer, begun, seed)
        before = begun.get(run.seed)
        if before is None:
            self._charge(self._seconds(run), run.epoch)
        elif run.epoch > before.epoch:
            self._charge(self._seconds(run) - self._seconds(before), run.epoch - before.epoch)
        else:
            self._charge(0.0, 0)
        if before is None or run.epoch > before.epoch:
            begun[run.seed] = run
        self.history.append(Step(self.seconds, self.epochs, run))
        return run

    def _run(self, answer: Answer, begun: Collection[int], seed: int | None) -> Record:
        """Return the one of this seed; else one not begun, drawn. Raises BadInput where there is none."""
        runs = [run for run in answer.runs if seed in (None, run.seed)]
        if not answer.runs:
            raise BadInput(f"{self._shown}: {answer.unit}: no run of it has come to its end")
        if not runs:
            seeds = ", ".join(str(run.seed) for run in answer.runs)
            raise BadInput(f"{self._shown}: {answer.unit}: no run of seed {seed}; seeds: {seeds}")
        return self.random.choice([run for run in runs if run.seed not in begun] or runs)

    def best(self) -> str | None:
        """Return the unit whose runs, as far as this search trained them to their end, have the lowest mean val error;
        ties by name.

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
        """Return the runs of a unit that this search has not seen: what it chose is judged by them, since choosing
        flatters.
        """
        answer = self._ask(unit, None)
        return answer.without(self._stands.get(answer.identity, {}))

    def run(self, search: Callable[[Simulation], object]) -> None:
        """Until it ends, or its budget does."""
        try:
            search(self)
        except OutOfBudget:
            return

    def _charge(self, seconds: float, epochs: int) -> None:
        self._free = 0 if epochs else self._free + 1
        if self._free > MAX_FREE:
            raise OutOfBudget(f"{MAX_FREE} trainings in a row were of runs that stand: the search goes in circles")
        if not self._budget.allows(self.seconds + seconds, self.epochs + epochs):
            self._spent = True
            raise OutOfBudget("the budget is spent")
        self.seconds, self.epochs = self.seconds + seconds, self.epochs + epochs

    def _seconds(self, run: Record) -> float:
        """Of training, up to the record. Raises BadInput where they count and were not taken."""
        if run.train_s is None and self._budget.seconds is not None:
            raise BadInput(
                f"{self._shown}: {run.unit}, seed {run.seed}: its seconds were not recorded; give a budget in epochs"
            )
        return run.train_s or 0.0
