"""Samples of a study, for each objective -> whether each unit may still be the best, by the test of the study's design.

One objective: the tie group of ties.py; several: the Pareto set. A unit with too few runs is in no test; a failing one is
excluded without a test.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from resbench.statistics.moderated import moments
from resbench.statistics.sample import LEVEL, MIN_SEEDS, Sample
from resbench.statistics.ties import ObjectiveColumn, Test, stepwise

TieMembership = Mapping[str, bool | None]
"""By name. True: no test has shown it to be worse than the best; False: excluded, or failing; None: no claim."""


@dataclass(frozen=True, slots=True)
class Scored:
    """One objective's samples of a study's units. `floor`: the smallest variance; `exact`: numbers without spread."""

    samples: tuple[Sample, ...]
    floor: float
    exact: bool = False

    def of(self, names: frozenset[str] | set[str]) -> Scored:
        return Scored(tuple(s for s in self.samples if s.name in names), self.floor, self.exact)

    def column(self, tested: Sequence[str]) -> ObjectiveColumn:
        named = {sample.name: sample for sample in self.samples}
        if self.exact:
            numbers = [named[name].scores[0] if named[name].scores else np.nan for name in tested]  # nan: not measured
            return ObjectiveColumn(np.array(numbers, dtype=np.float64), None, self.floor)
        means, variances, _ = moments([named[name] for name in tested])
        return ObjectiveColumn(means, variances, self.floor)


def standing(scored: Sequence[Scored], level: float = LEVEL, test: Test | None = None) -> dict[str, bool | None]:
    """Return the tie membership of each unit. All objectives have the same units; the first decides which have enough runs.

    >>> runs = (Sample("a", (6.1, 6.3, 6.0)), Sample("b", (9.1, 9.3, 9.0)), Sample("c", (7.0,)))
    >>> standing([Scored(runs, 1e-9)])
    {'a': True, 'b': False, 'c': None}
    """
    samples = scored[0].samples
    any_works = any(sample.scores and not sample.fails for sample in samples)
    tied: dict[str, bool | None] = {}
    for sample in samples:
        tied[sample.name] = False if sample.fails and sample.n >= MIN_SEEDS and any_works else None
    too_few = {s.name for each in scored[1:] if not each.exact for s in each.samples if s.converged < MIN_SEEDS}
    tested = [sample for sample in samples if sample.testable and sample.name not in too_few]
    names, counts = [sample.name for sample in tested], np.array([float(sample.converged) for sample in tested])
    members = stepwise([each.column(names) for each in scored], counts, level, test)
    return tied | {name: bool(member) for name, member in zip(names, members, strict=True)}
