"""Runs of one architecture -> Sample: converged val errors (%, lower is better), and how many runs diverged or are missing.

Diverged runs are counted, never averaged: a number for them (say 90 %) in a mean would hide every difference between the
converged runs (power at 5 seeds falls from 97 % to 32 %).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite
from statistics import fmean, variance

from resbench.errors import BadInput
from resbench.language.study.design import MIN_SEEDS as MIN_SEEDS

LEVEL = 0.05
"""The share of studies that may make a false claim: all claims of a study together are tested at this level."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One architecture's runs under one recipe and data set. `seeds`, if given, holds the seed of each score.

    `mean` (exact summation, so the order of runs cannot matter) and `variance` (n - 1, squared error points; exactly 0 for equal
    scores) are over converged runs.

    >>> sample = Sample("plain", (7.1, 6.9, 7.3), diverged=2)
    >>> sample.n, sample.converged, sample.fails
    (5, 3, False)
    """

    name: str
    scores: tuple[float, ...]
    diverged: int = 0
    missing: int = 0
    seeds: tuple[int, ...] = ()
    mean: float | None = field(init=False, repr=False, compare=False)
    variance: float | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for score in self.scores:
            if not isfinite(score):
                raise BadInput(
                    f"`{self.name}`: expected finite scores of converged runs, got {score}; count the others in `diverged`"
                )
        for word, count in (("diverged", self.diverged), ("missing", self.missing)):
            if count < 0:
                raise BadInput(f"`{self.name}`: `{word}`: expected a number of runs, 0 or more, got {count}")
        if self.seeds and len(self.seeds) != len(self.scores):
            raise BadInput(
                f"`{self.name}`: expected one seed per score, or none, got {len(self.seeds)} seeds for {len(self.scores)} scores"
            )
        if len(set(self.seeds)) != len(self.seeds):
            raise BadInput(f"`{self.name}`: expected a different seed for each run, got one twice")
        object.__setattr__(self, "mean", fmean(self.scores) if self.scores else None)
        object.__setattr__(self, "variance", variance(self.scores) if self.converged >= 2 else None)

    @property
    def converged(self) -> int:
        return len(self.scores)

    @property
    def n(self) -> int:
        """Number of runs that ended, converged or diverged; runs that failed for other reasons are in `missing`."""
        return self.converged + self.diverged

    @property
    def fails(self) -> bool:
        """Fewer than half of the runs converged. A unit without a run does not fail."""
        return 2 * self.converged < self.n

    @property
    def testable(self) -> bool:
        """Whether a test or a claim about it is possible at all."""
        return self.converged >= MIN_SEEDS and not self.fails


def by_name(samples: Sequence[Sample]) -> dict[str, Sample]:
    """Return the samples by name. Raises BadInput if two have one name."""
    named: dict[str, Sample] = {}
    for sample in samples:
        if sample.name in named:
            raise BadInput(f"expected one sample per architecture, got two of the name `{sample.name}`")
        named[sample.name] = sample
    return named
