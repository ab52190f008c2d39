"""The comparison of two architectures; comparisons -> a note about claims that the design cannot support.

`reach_note` is only for exact tests: Welch's t has no smallest p, it only needs 3 converged runs on either side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Literal

from resbench.statistics.sample import LEVEL, Sample
from resbench.statistics.seeds_needed import seeds_to_claim

Method = Literal["welch", "exact", "paired", "anytime"]
TESTS = {
    "welch": "Welch's t, variances moderated over the study",
    "exact": "exact unpaired permutation test",
    "paired": "exact sign flips over common seeds",
    "anytime": "e-process of the t test, which holds whenever one looks",
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """Unit a against unit b, in error points; differences are a - b, so `a` is better below 0.

    `effect_sd`: the difference in standard deviations, of the mean of both variances.

    `n_a`, `n_b`: converged runs in the test. `smallest_p`: the smallest p that the exact test of these runs can reach;
    `smallest_p_holm`: the same, corrected for all pairs shown. `correlation`: over common seeds; it never selects the test.
    """

    a: str
    b: str
    method: Method
    n_a: int
    n_b: int
    difference: float | None = None
    effect_sd: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    p: float | None = None
    p_holm: float | None = None
    smallest_p: float | None = None
    smallest_p_holm: float | None = None
    correlation: float | None = None

    @property
    def claim(self) -> bool | None:
        """Whether the two differ at 95 % confidence over all pairs shown; None: no claim is possible."""
        return None if self.p_holm is None else self.p_holm <= LEVEL

    @property
    def out_of_reach(self) -> bool:
        """Whether no data of so few runs could make this claim by the exact test chosen."""
        return self.method in ("exact", "paired") and self.smallest_p_holm is not None and self.smallest_p_holm > LEVEL


def effect_sd(a: Sample, b: Sample, floor: float) -> float | None:
    """Return the difference of means over the root of the mean variance (each at least `floor`); None below 2 runs in either."""
    if a.mean is None or b.mean is None or a.variance is None or b.variance is None:
        return None
    return (a.mean - b.mean) / sqrt((max(a.variance, floor) + max(b.variance, floor)) / 2)


def reach_note(comparisons: Sequence[Comparison], looks: int = 1) -> str | None:
    """Return a note on claims that no data could support with these runs, and the seeds that could; None if all are possible.

    `looks`: as in `compare`."""
    tested = [row for row in comparisons if row.smallest_p is not None]
    beyond = [row for row in tested if row.out_of_reach]
    if not beyond:
        return None
    first, paired = beyond[0], beyond[0].method == "paired"
    runs = f"{first.n_a} common seeds" if paired else f"{first.n_a} against {first.n_b} runs"
    seeds = seeds_to_claim(len(tested) * looks, paired=paired)
    offer = "show fewer pairs" if seeds is None else f"{seeds} seeds for each architecture could"
    return (
        f"no data could support {len(beyond)} of these {len(tested)} claims: {runs} reach p = {first.smallest_p:.2g} at best,"
        f" {first.smallest_p_holm:.2g} over the pairs shown (needed: {LEVEL}); {offer}"
    )
