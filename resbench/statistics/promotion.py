"""Scores at a rung -> who goes on, with the uncertainty in view.  Jamieson & Talwalkar 2016, arXiv:1502.07943

The best share goes on, and beside it whoever is within one standard error of the last of them: at a rung the order of close ones
is mostly chance. At most half as many again go on for that. Nothing here is a claim: finalists are judged by runs of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, inf, isfinite, sqrt
from statistics import fmean, variance

MORE = 0.5  # of the share, who may go on beside it


@dataclass(frozen=True, slots=True)
class AtRung:
    """`scores`: a number for each run that is finite, of each objective, less being better; `runs`: how many there are in all."""

    scores: tuple[tuple[float, ...], ...]
    runs: int

    @property
    def fails(self) -> bool:
        return 2 * len(self.scores[0]) < self.runs or not self.scores[0]

    @property
    def means(self) -> tuple[float, ...]:
        return tuple(fmean(each) if each else inf for each in self.scores)


def promoted(units: Mapping[str, AtRung], share: int, images: int | None) -> list[str]:
    """Who goes on, best first: `share` of them and those close behind. `images`: that an error rate in percent is a share of.

    Who fails (under half of the runs finite) does not go on.

    >>> of = {n: AtRung(((v,),), 1) for n, v in {"a": 10.0, "b": 30.0, "c": 31.0, "d": 60.0}.items()}
    >>> promoted(of, 2, 500), promoted(of, 1, 500)
    (['a', 'b', 'c'], ['a'])
    """
    order = in_order({name: one.means for name, one in units.items() if not one.fails})
    chosen, rest = order[:share], order[share:]
    if not chosen or len(units[order[0]].scores) > 1:
        return chosen
    line = units[chosen[-1]]
    close = [name for name in rest if _is_close(units[name], line, images)]
    return [*chosen, *close[: ceil(MORE * share) if share > 1 else 0]]


def in_order(values: Mapping[str, Sequence[float]]) -> list[str]:
    """By dominance rank (Goldberg 1989), then by the first objective, then by name."""
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


def _is_close(one: AtRung, line: AtRung, images: int | None) -> bool:
    gap = one.means[0] - line.means[0]
    return isfinite(gap) and gap <= sqrt(_squared_error(one, images) + _squared_error(line, images))


def _squared_error(one: AtRung, images: int | None) -> float:
    """Of the mean: from the spread over runs, at least what an error rate has by the number of its images."""
    scores, n = one.scores[0], len(one.scores[0])
    seen = variance(scores) / n if n > 1 else 0.0
    if images is None:
        return seen
    rate = min(max(one.means[0] / 100, 1 / images), 1 - 1 / images)
    return max(seen, 1e4 * rate * (1 - rate) / images / n)
