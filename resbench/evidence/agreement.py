"""A published table, samples -> rank agreement: Kendall's tau-b, and a verdict on each pair that the table orders.

Published None is the paper's "fail": it is worse than every number, and all fails are tied. A published tie orders nothing.
The measured units are ordered by their mean; the failing ones (under half of the runs converged) are tied below. tau-b is
computed over the units that both sides have; it describes and tests nothing. Each ordered pair is tested, at a family-wise
level of 5 % (Holm over the pairs that can be tested), and is `agree`, `disagree` or `open`:
- two units that both work: moderated Welch, as in `compare`;
- a working unit against a failing one: Fisher's exact test of whether they converge equally often. The scores of a failing
  unit enter no test, so only this test can show that it is worse. 0 of 5 against 5 of 5 gives p = 0.008; 2 of 5 against 3 of
  5 gives p = 1 and is open. A fixed rule ("fails" against "all converged") would err in up to 5 % of single pairs at 5 seeds;
- two failing units, or a unit with fewer than 3 runs: there is no test, and the pair is open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import inf, isfinite, sqrt
from typing import Literal

import numpy as np

from resbench.errors import BadInput
from resbench.evidence.compare import compare, holm
from resbench.statistics.exact import convergence_p
from resbench.statistics.moderated import Floats
from resbench.statistics.sample import LEVEL, MIN_SEEDS, Sample, by_name


@dataclass(frozen=True, slots=True)
class PairVerdict:
    """One pair that the table orders, and whether the runs confirm the order. `p_holm` is None where no test was possible."""

    better: str
    worse: str
    p_holm: float | None
    outcome: Literal["agree", "disagree", "open"]


@dataclass(frozen=True, slots=True)
class Agreement:
    """The agreement of a table with the runs. `units` are the names on both sides; `unmeasured` names were published, but
    have no run. `tau_b` is None where one of the sides orders nothing.
    """

    tau_b: float | None
    units: tuple[str, ...]
    unmeasured: tuple[str, ...]
    verdicts: tuple[PairVerdict, ...]

    @property
    def agree(self) -> int:
        return sum(verdict.outcome == "agree" for verdict in self.verdicts)

    @property
    def disagree(self) -> int:
        return sum(verdict.outcome == "disagree" for verdict in self.verdicts)

    @property
    def open(self) -> int:
        return sum(verdict.outcome == "open" for verdict in self.verdicts)


def agreement(published: Mapping[str, float | None], samples: Sequence[Sample], *, n_val: int) -> Agreement:
    """Compare published errors (percent; None: fail) with the runs. Samples that were not published still moderate variances.

    >>> study = [Sample("a", (6.1, 6.3, 6.0)), Sample("b", (9.1, 9.3, 9.0))]
    >>> result = agreement({"a": 6.6, "b": None}, study, n_val=5000)
    >>> result.tau_b, result.agree, result.disagree, result.open
    (1.0, 1, 0, 0)
    """
    table = {name: _published(name, error) for name, error in published.items()}
    named = {name: sample for name, sample in by_name(samples).items() if sample.n > 0}
    units = tuple(name for name in table if name in named)
    measured = {name: _measured(named[name]) for name in units}
    tau_b = kendall_tau_b(np.array([table[name] for name in units]), np.array([measured[name] for name in units]))
    ordered = [(a, b) if table[a] < table[b] else (b, a) for a, b in combinations(units, 2) if table[a] != table[b]]
    adjusted = holm(_p_values(ordered, named, samples, n_val))
    verdicts = tuple(
        PairVerdict(better, worse, p, _outcome(measured[better], measured[worse], p))
        for (better, worse), p in zip(ordered, adjusted, strict=True)
    )
    return Agreement(tau_b, units, tuple(name for name in table if name not in named), verdicts)


def kendall_tau_b(x: Floats, y: Floats) -> float | None:
    """Return the rank correlation with ties on either side (Kendall 1945); None where a side is all ties.

    Infinities compare as numbers.

    >>> kendall_tau_b(np.array([1.0, 2.0, np.inf, np.inf]), np.array([1.0, 2.0, 4.0, 3.0])).__round__(3)
    0.913
    """
    order_x, order_y = (np.greater.outer(v, v) * 1 - np.less.outer(v, v) * 1 for v in (x, y))
    untied = int(np.abs(order_x).sum()) * int(np.abs(order_y).sum())
    return float((order_x * order_y).sum() / sqrt(untied)) if untied else None


def _p_values(
    pairs: Sequence[tuple[str, str]], named: Mapping[str, Sample], samples: Sequence[Sample], n_val: int
) -> list[float | None]:
    """Return the unadjusted p value of each pair; None where neither test applies."""
    ps: list[float | None] = []
    for (a, b), row in zip(pairs, compare(samples, pairs, n_val=n_val), strict=True):
        one, other = named[a], named[b]
        if one.fails != other.fails and min(one.n, other.n) >= MIN_SEEDS:
            ps.append(convergence_p(one.converged, one.n, other.converged, other.n))
        else:
            ps.append(row.p)
    return ps


def _outcome(better: float, worse: float, p_holm: float | None) -> Literal["agree", "disagree", "open"]:
    if p_holm is None or p_holm > LEVEL:
        return "open"
    return "agree" if better < worse else "disagree"


def _published(name: str, error: float | None) -> float:
    if error is not None and not isfinite(error):
        raise BadInput(
            f"`{name}`: expected a finite published error, got {error}; use None where the paper reports a failure"
        )
    return inf if error is None else error


def _measured(sample: Sample) -> float:
    return inf if sample.fails or sample.mean is None else sample.mean
