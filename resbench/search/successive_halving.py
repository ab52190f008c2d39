"""Successive halving and Hyperband -> stages: all points to the first rung, the best of them on to the next, from where they are.

Successive halving: Jamieson & Talwalkar 2016, arXiv:1502.07943. Hyperband, several of these from different first rungs: Li et al.
2018, arXiv:1603.06560. Who goes on is decided on val (statistics/promotion.py); survivors train on from their checkpoints. As all
that a search decides, it is replayed from the runs that there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from random import Random

from resbench.language.study.search import SearchSpec
from resbench.language.study.study import StudySpec
from resbench.random_streams import stream
from resbench.search.point import Point
from resbench.search.selection import Selection
from resbench.search.sequential import Note, Register, is_waiting
from resbench.search.stage import StudyStage
from resbench.statistics.promotion import promoted


def rungs_of(search: SearchSpec, epochs: int) -> list[int]:
    """Return the epochs of each rung, the last at the end of the run.

    >>> rungs_of(SearchSpec(use="halving", eta=3, **{"from": 2}), 12)
    [2, 6, 12]
    """
    found, at = [], search.from_
    while at < epochs:
        found.append(at)
        at *= search.eta
    return [*found, epochs]


@dataclass(frozen=True, slots=True)
class Bracket:
    """Points that compete; `first`: the number of their first rung."""

    points: tuple[Point, ...]
    first: int


def brackets(search: SearchSpec, points: Sequence[Point], rungs: int) -> list[Bracket]:
    """Return one, or for Hyperband one for each rung to begin at, of the sizes that give each about as much to train."""
    if search.use == "halving":
        return [Bracket(tuple(points), 0)]
    shuffled = list(points)
    Random(stream(search.seed, 0, "hyperband")).shuffle(shuffled)
    weights = [ceil(rungs / (s + 1)) * search.eta**s for s in range(rungs - 1, -1, -1)]
    found, start = [], 0
    for first, weight in enumerate(weights):
        end = (
            len(points) if first == rungs - 1 else min(len(points), start + round(len(points) * weight / sum(weights)))
        )
        if shuffled[start:end]:
            found.append(Bracket(tuple(shuffled[start:end]), first))
        start = end
    return found


def halving_stages(
    spec: StudySpec,
    points: Sequence[Point],
    selection: Selection,
    register: Register,
    *,
    note: Note,
    images: int | None,
) -> Iterator[StudyStage]:
    """Yield rung by rung, then the finalists.

    Args:
        spec: The study.
        points: All that begin.
        selection: Decides who goes on.
        register: Puts points into the study.
        note: Shows a line.
        images: Of the val split; None where the objective is no error rate.
    """
    search = spec.search
    once = list({(point.digest, point.recipe.digest): point for point in points}.values())
    rungs = rungs_of(search, max(point.epochs for point in once))
    ids = register(once)
    alive = brackets(search, once, len(rungs))
    spent = 0
    for number, epoch in enumerate(rungs):
        last = number == len(rungs) - 1
        here = [point for bracket in alive if bracket.first <= number for point in bracket.points]
        before = {bracket.first: rungs[number - 1] if number > bracket.first else 0 for bracket in alive}
        yield StudyStage({ids[p.name]: search.own_seeds for p in here}, None if last else epoch, judges=False)
        if is_waiting(selection, note, here):
            return
        survivors = []
        for bracket in alive:
            if bracket.first > number:
                survivors.append(bracket)
                continue
            spent += len(bracket.points) * (epoch - before[bracket.first])
            if not last:
                survivors.append(Bracket(_promoted(search, bracket, epoch, images, selection), bracket.first))
        if not last:
            left = sum(len(one.points) for one in survivors if one.first <= number)
            note(f"rung at {epoch} epochs: {len(here)} points, {left} go on")
            alive = survivors
    final = {p.name: selection.at_rung(p, rungs[-1]) for bracket in alive for p in bracket.points}
    chosen = promoted(final, search.finalists, images)[: search.finalists]
    share = f"{100 * spent / (len(once) * rungs[-1]):.0f} % of what all to their end take"
    note(
        f"{search.use}: {len(once)} points, {spent * search.seeds:,} epochs trained, {share}; {len(chosen)} go into the final, "
        f"with seeds of their own"
    )
    if chosen:
        yield StudyStage({ids[name]: spec.seeds for name in chosen})


def _promoted(
    search: SearchSpec, bracket: Bracket, epoch: int, images: int | None, selection: Selection
) -> tuple[Point, ...]:
    by_name: Mapping[str, Point] = {point.name: point for point in bracket.points}
    scores = {name: selection.at_rung(point, epoch) for name, point in by_name.items()}
    share = max(search.finalists, ceil(len(by_name) / search.eta))
    return tuple(by_name[name] for name in promoted(scores, min(share, len(by_name)), images))
