"""A search and a frozen benchmark -> the result of the search within a budget of seconds or epochs.  Nothing is trained.

The clock counts the recorded seconds of training only; a run that stopped at an epoch resumes from there, as a study's runs do.
Only val is visible. The budget is exact: a training that would exceed it returns no result.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from math import inf
from random import Random
from statistics import fmean

from resbench.errors import BadInput
from resbench.tabular.answer import Answer, Record

MAX_FREE = 1_000  # consecutive trainings without cost: such a search repeats itself


class OutOfBudget(Exception):  # noqa: N818  (it ends every search, so it is not an error)
    """Raised by `train` once the budget is spent; `Bench.simulate` catches it."""


@dataclass(frozen=True, slots=True)
class Step:
    """One training, and the clock after it: seconds of training and epochs so far."""

    seconds: float
    epochs: int
    record: Record


@dataclass(frozen=True, slots=True)
class Budget:
    """The budget of a search: seconds of training, epochs, or both."""

    seconds: float | None
    epochs: int | None

    def __post_init__(self) -> None:
        for name, limit in (("seconds", self.seconds), ("epochs", self.epochs)):
            if limit is not None and not 0 < limit < inf:
                raise BadInput(f"{name}: expected a number above 0, got {limit}")
        if self.seconds is None and self.epochs is None:
            raise BadInput("budget: expected seconds=600, epochs=1000 or both, got none")

    def allows(self, seconds: float, epochs: int) -> bool:
        return (self.seconds is None or seconds <= self.seconds) and (self.epochs is None or epochs <= self.epochs)


Identity = tuple[str, str, str]


class Simulation:
    """The environment of a search: `units` to select from, `random` as its generator, `train`; and its results.

    `seconds` and `epochs` are spent so far; `history` has every training in order.
    """

    def __init__(
        self, units: Sequence[str], ask: Callable[[str, int | None], Answer], budget: Budget, seed: int, shown: str
    ) -> None:
        """Start a simulation. `shown`: the benchmark's name in messages."""
        self.units = tuple(units)
        self.random = Random(seed)
        self.seconds, self.epochs = 0.0, 0
        self.history: list[Step] = []
        self._ask, self._budget, self._shown = ask, budget, shown
        self._state: dict[Identity, dict[int, Record]] = {}  # the state of each unit's runs, by identity and seed
        self._free = 0
        self._spent = False

    def train(self, unit: str, *, epoch: int | None = None, seed: int | None = None) -> Record:
        """Train a run up to an epoch (by default to its end) and return its record. Without a seed, a new one of the unit is
        drawn.

        If every seed of the unit has run, the record of one of them is returned again, without cost. Raises OutOfBudget.
        """
        if self._spent:
            raise OutOfBudget("the budget is spent")
        answer = self._ask(unit, epoch)
        begun = self._state.setdefault(answer.identity, {})
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
        """Return the run of a seed, or without a seed a random one that has not begun. Raises BadInput if there is none."""
        runs = [run for run in answer.runs if seed in (None, run.seed)]
        if not answer.runs:
            raise BadInput(f"{self._shown}: {answer.unit}: no run of it is finished")
        if not runs:
            seeds = ", ".join(str(run.seed) for run in answer.runs)
            raise BadInput(f"{self._shown}: {answer.unit}: no run of seed {seed}; seeds: {seeds}")
        return self.random.choice([run for run in runs if run.seed not in begun] or runs)

    def best(self) -> str | None:
        """Return the unit with the lowest mean val error over the runs that this search trained to their end; ties are broken by
        name. A unit fails if fewer than half of its runs converged. The error of the best is biased: see `unseen`.
        """
        means = {}
        for runs in self._state.values():
            ended = [run for run in runs.values() if run.epoch == run.epochs]
            scores = [run.score for run in ended if run.score < inf]
            if scores and 2 * len(scores) >= len(ended):
                means[ended[0].unit] = fmean(scores)
        return min(means, key=lambda unit: (means[unit], unit)) if means else None

    def unseen(self, unit: str) -> Answer:
        """Return the runs of a unit that this search has not seen: they judge the selected unit, since selection biases the
        others.
        """
        answer = self._ask(unit, None)
        return answer.without(self._state.get(answer.identity, {}))

    def run(self, search: Callable[[Simulation], object]) -> None:
        """Run a search until it or its budget ends."""
        try:
            search(self)
        except OutOfBudget:
            return

    def _charge(self, seconds: float, epochs: int) -> None:
        self._free = 0 if epochs else self._free + 1
        if self._free > MAX_FREE:
            raise OutOfBudget(f"{MAX_FREE} consecutive trainings were of finished runs: the search repeats itself")
        if not self._budget.allows(self.seconds + seconds, self.epochs + epochs):
            self._spent = True
            raise OutOfBudget("the budget is spent")
        self.seconds, self.epochs = self.seconds + seconds, self.epochs + epochs

    def _seconds(self, run: Record) -> float:
        """Return the seconds of training up to a record. Raises BadInput if the budget needs them and they were not recorded."""
        if run.train_s is None and self._budget.seconds is not None:
            raise BadInput(
                f"{self._shown}: {run.unit}, seed {run.seed}: its seconds were not recorded; give a budget in epochs"
            )
        return run.train_s or 0.0
