"""Scores at a rung -> the promoted units, with regard to uncertainty.  Jamieson & Talwalkar 2016, arXiv:1502.07943

The best units are promoted, and those within one standard error of the last of them: at a rung the order of close units is
mostly chance. At most half as many again are added. A promotion is not a claim: finalists are judged by runs of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, inf, isfinite, sqrt
from statistics import fmean, variance

MORE = 0.5  # fraction of the promoted units that may be added


@dataclass(frozen=True, slots=True)
class AtRung:
    """The runs of a unit at a rung. `scores`: of each finite run, for each objective, lower is better; `runs`: number of all
    runs.
    """

    scores: tuple[tuple[float, ...], ...]
    runs: int

    @property
    def fails(self) -> bool:
        return 2 * len(self.scores[0]) < self.runs or not self.scores[0]

    @property
    def means(self) -> tuple[float, ...]:
        return tuple(fmean(each) if each else inf for each in self.scores)


def promoted(units: Mapping[str, AtRung], share: int, images: int | None) -> list[str]:
    """Return the promoted units, best first: the best `share` and those close behind. `images`: of the val split, for errors in

    percent. A failing unit (under half of its runs are finite) is not promoted.

    >>> of = {n: AtRung(((v,),), 1) for n, v in {"a": 10.0, "b": 30.0, "c": 31.0, "d": 60.0}.items()}
    >>> promoted(of, 2, 500), promoted(of, 1, 500)
    (['a', 'b', 'c'], ['a'])
    """
    order = in_order({name: one.means for name, one in units.items() if not one.fails})
    chosen, rest = order[:share], order[share:]
    if not chosen or len(units[order[0]].scores) > 1:
        return chosen
    threshold = units[chosen[-1]]
    close = [name for name in rest if _is_close(units[name], threshold, images)]
    return [*chosen, *close[: ceil(MORE * share) if share > 1 else 0]]


def in_order(values: Mapping[str, Sequence[float]]) -> list[str]:
    """Sort names by dominance rank (Goldberg 1989), then by the first objective, then by name."""
    if all(len(each) == 1 for each in values.values()):
        return sorted(values, key=lambda name: (values[name][0], name))
    left, front = dict(values), 0
    place: dict[str, int] = {}
    while left:
        best = [name for name in left if not any(_dominates(left[other], left[name]) for other in left)]
        place |= dict.fromkeys(best, front)
        left = {name: each for name, each in left.items() if name not in place}
        front += 1
    return sorted(values, key=lambda name: (place[name], values[name][0], name))


def _dominates(one: Sequence[float], other: Sequence[float]) -> bool:
    return all(a <= b for a, b in zip(one, other, strict=True)) and any(a < b for a, b in zip(one, other, strict=True))


def _is_close(one: AtRung, threshold: AtRung, images: int | None) -> bool:
    gap = one.means[0] - threshold.means[0]
    return isfinite(gap) and gap <= sqrt(_squared_error(one, images) + _squared_error(threshold, images))


def _squared_error(one: AtRung, images: int | None) -> float:
    """Return the squared standard error of the mean: from the spread over runs, but at least that of a binomial error rate."""
    scores, n = one.scores[0], len(one.scores[0])
    seen = variance(scores) / n if n > 1 else 0.0
    if images is None:
        return seen
    rate = min(max(one.means[0] / 100, 1 / images), 1 - 1 / images)
    return max(seen, 1e4 * rate * (1 - rate) / images / n)
