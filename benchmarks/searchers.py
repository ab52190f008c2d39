"""How much do searches save?  Replayed on a study that was trained whole, by the program's own code; nothing is trained.

`python benchmarks/searchers.py results.db STUDY [halving|searchers]`, where STUDY is a grid with 5 seeds or more.

halving: 200 replays of successive halving with seeds drawn anew for every unit: epochs, who wins, where that one stands in the
whole study, and the rank correlation of each rung with the end. searchers: trained cells until one of the best 1 % (10 at least,
by other seeds than those that the search sees) is found, against the exact mean of drawing without replacement,
(N + 1) / (K + 1).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, inf, sqrt
from random import Random
from statistics import fmean, median, stdev
from types import SimpleNamespace
from typing import Any

import numpy as np

from resbench.language.generate.orderings import Arrange, parse_arrange
from resbench.language.graph.params import Choices
from resbench.language.library.library import Library
from resbench.language.study.search import SearchSpec
from resbench.language.yaml.node import Node, from_plain
from resbench.language.yaml.problems import Problems
from resbench.ops.schema import table as signatures
from resbench.search.answers import SLOT
from resbench.search.evolution import Evolution
from resbench.search.optuna_samplers import OptunaSampler
from resbench.search.sampler import Result, Sampler
from resbench.search.successive_halving import rungs_of
from resbench.statistics.moderated import variance_floor
from resbench.statistics.promotion import AtRung, promoted
from resbench.statistics.sample import Sample
from resbench.statistics.standing import Scored, standing
from resbench.store.open import open_store
from resbench.store.results.epochs import epochs_of_study
from resbench.store.results.reading import runs_of_study

REPLAYS = 200
OPS = ["bn", "relu", "conv", "bn", "relu", "conv"]


@dataclass(frozen=True)
class Unit:
    """`curves`: val error in percent after each epoch, by seed; `names`: also those of orders that are the same network."""

    name: str
    names: tuple[str, ...]
    curves: Mapping[int, tuple[float, ...]]
    ended: Mapping[int, bool]  # whether the run converged

    def score(self, seed: int, epoch: int, last: int) -> float:
        curve = self.curves[seed]
        if len(curve) < epoch or (epoch == last and not self.ended[seed]):
            return inf
        return curve[epoch - 1]

    def mean(self, seeds: Sequence[int], last: int) -> float:
        scores = [score for seed in seeds if (score := self.score(seed, last, last)) < inf]
        return fmean(scores) if 2 * len(scores) >= len(seeds) and scores else inf


@dataclass(frozen=True)
class Table:
    units: tuple[Unit, ...]
    seeds: tuple[int, ...]
    epochs: int
    images: int

    @classmethod
    def read(cls, path: str, study: str) -> Table:
        engine = open_store(path, create=False)
        curves = epochs_of_study(engine, study)
        found: dict[str, dict[str, Any]] = {}
        for run in runs_of_study(engine, study):
            if run.status in ("complete", "diverged"):
                unit = found.setdefault(run.digest, {"names": {}, "curves": {}, "ended": {}})
                unit["names"][run.unit] = None
                unit["ended"][run.seed] = run.status == "complete"
                unit["curves"][run.seed] = tuple(
                    inf if row.val_error_pct is None else row.val_error_pct for row in curves[run.run_id]
                )
        seeds = tuple(sorted({seed for unit in found.values() for seed in unit["curves"]}))
        units = tuple(
            Unit(next(iter(u["names"])), tuple(u["names"]), u["curves"], u["ended"])
            for u in found.values() if len(u["curves"]) == len(seeds)
        )  # fmt: skip
        longest = max(len(curve) for unit in units for curve in unit.curves.values())
        return cls(units, seeds, longest, 340)


def halving(table: Table, first: int, eta: int, finalists: int) -> None:
    """Whole-study figures first, then the replays."""
    means = {unit.name: unit.mean(table.seeds, table.epochs) for unit in table.units}
    order = sorted(means, key=lambda name: means[name])
    tied = tie_group(table, table.seeds)
    spread = [unit for unit in table.units if unit.name == order[0]]
    best_sd = stdev([s for seed in table.seeds if (s := spread[0].score(seed, table.epochs, table.epochs)) < inf])
    rungs = rungs_of(SearchSpec(use="halving", eta=eta, **{"from": first}), table.epochs)
    for rung in rungs[:-1]:
        print(
            f"rung at {rung} epochs, rank correlation with the end: {rung_correlation(table, rung):.2f} (Spearman, one seed)"
        )
    print(
        f"whole study: {len(means)} networks, best {order[0]} {means[order[0]]:.2f}, sd {best_sd:.2f}; {len(tied)} tied"
    )
    spent, in_group, near, same, places = [], 0, 0, 0, []
    for replay in range(REPLAYS):
        random = Random(replay)
        own = {unit.name: random.choice(table.seeds) for unit in table.units}
        share, final = one_halving(table, own, rungs, eta, finalists)
        judged = {
            name: by_name(table)[name].mean([s for s in table.seeds if s != own[name]], table.epochs) for name in final
        }
        winner = min(judged, key=lambda name: judged[name])
        spent.append(share)
        places.append(order.index(winner) + 1)
        in_group += winner in tied
        near += means[winner] <= means[order[0]] + 0.5 * best_sd
        same += set(final) >= tied
    print(
        f"halving from {first}, eta {eta}, {finalists} finalists: {100 * fmean(spent):.0f} % of the epochs; of {REPLAYS} replays "
        f"the winner is in the whole study's tie group in {in_group}, within 0.5 sd of its best in {near}, at place "
        f"{median(places):g} (median; worst {max(places)}); all of the group are finalists in {same}"
    )
    agree = sum(
        tie_group(table, resampled(table, Random(r))) == tie_group(table, resampled(table, Random(10_000 + r)))
        for r in range(10)
    )
    print(f"two whole studies with seeds drawn anew have the same tie group in {agree} of 10")


def resampled(table: Table, random: Random) -> tuple[int, ...]:
    return tuple(random.choice(table.seeds) for _ in table.seeds)


def by_name(table: Table) -> Mapping[str, Unit]:
    return {unit.name: unit for unit in table.units}


def one_halving(
    table: Table,
    own: Mapping[str, int],
    rungs: Sequence[int],
    eta: int,
    finalists: int,
    among: Sequence[str] | None = None,
) -> tuple[float, list[str]]:
    """The part of all epochs that was trained, and who reaches the final."""
    units = by_name(table)
    alive = list(units if among is None else among)
    whole, spent, before = len(alive) * rungs[-1], 0, 0
    for epoch in rungs:
        spent += len(alive) * (epoch - before)
        before = epoch
        at = {name: units[name].score(own[name], epoch, table.epochs) for name in alive}
        scores = {name: AtRung(((score,) if score < inf else (),), 1) for name, score in at.items()}
        share = finalists if epoch == rungs[-1] else max(finalists, ceil(len(alive) / eta))
        alive = promoted(scores, min(share, len(alive)), table.images)
        if epoch == rungs[-1]:
            alive = alive[:finalists]
    return spent / whole, alive


def tie_group(table: Table, seeds: Sequence[int]) -> set[str]:
    """By rule 6; a seed drawn twice counts twice."""
    samples = []
    for unit in table.units:
        scores = [unit.score(seed, table.epochs, table.epochs) for seed in seeds]
        there = tuple(score for score in scores if score < inf)
        samples.append(
            Sample(unit.name, there, diverged=len(scores) - len(there), missing=0, seeds=tuple(range(len(there))))
        )
    return {name for name, member in standing([Scored(tuple(samples), variance_floor(table.images))]).items() if member}


def rung_correlation(table: Table, rung: int) -> float:
    random = Random(0)
    seeds = [random.choice(table.seeds) for _ in table.units]
    early = [unit.score(seed, rung, table.epochs) for unit, seed in zip(table.units, seeds, strict=True)]
    late = [unit.score(seed, table.epochs, table.epochs) for unit, seed in zip(table.units, seeds, strict=True)]
    return float(np.corrcoef(*([ranks(values) for values in (early, late)]))[0, 1])


def ranks(values: Sequence[float]) -> list[float]:
    order = sorted(values)
    return [(order.index(v) + len(order) - 1 - order[::-1].index(v)) / 2 for v in values]


class Frozen:
    """What a proposer needs of a space, without binding anything."""

    def __init__(self, table: Table, arrange: Arrange) -> None:
        self.arrange = arrange
        self.points = {
            name: SimpleNamespace(name=u.name, digest=u.name, recipe=SimpleNamespace(digest=""))
            for u in table.units
            for name in u.names
        }

    def at(self, answer: Callable[[str, Any], str]) -> tuple[Any, dict[str, str]]:
        letters = Choices({letter: Node(letter) for letter in self.arrange.letters})
        labels = {f"{SLOT}.{i}": answer(f"{SLOT}.{i}", letters) for i in range(self.arrange.slots)}
        return self.points[self.arrange.nearest(list(labels.values())).name], labels


def searchers(table: Table) -> None:
    arrange = parse_arrange(from_plain({"ops": OPS}), Library(signatures()), Problems())  # type: ignore[dict-item]
    assert arrange is not None
    seen, judge = table.seeds[:2], table.seeds[2:]
    count = max(10, ceil(len(table.units) / 100))
    good = {unit.name for unit in sorted(table.units, key=lambda unit: unit.mean(judge, table.epochs))[:count]}
    exact = (len(table.units) + 1) / (count + 1)
    print(
        f"{len(table.units)} networks, the best {count} by seeds {judge}; at random {exact:.1f} cells on average (exact)"
    )
    space: Any = Frozen(table, arrange)
    evolution = SearchSpec(use="evolution", batch=1)
    tpe = SearchSpec(use="tpe", start=10, batch=1)
    told("random", [random_cells(table, good, Random(i)) for i in range(REPLAYS)], exact)
    told("halving of 27 at a time", list(halving_cells(table, good, seen)), exact)
    told(
        "evolution",
        [
            proposed(table, good, seen, Evolution(evolution.model_copy(update={"seed": i}), space))
            for i in range(REPLAYS)
        ],
        exact,
    )
    told(
        "tpe",
        [
            proposed(table, good, seen, OptunaSampler(tpe.model_copy(update={"seed": i}), space, 1))
            for i in range(REPLAYS)
        ],
        exact,
    )


def told(name: str, cells: Sequence[float], exact: float) -> None:
    mean, half = fmean(cells), 1.96 * stdev(cells) / sqrt(len(cells))
    word = (
        "better than random"
        if mean + half < exact
        else "worse than random"
        if mean - half > exact
        else "not shown to differ"
    )
    print(
        f"{name}: {mean:.1f} cells, sd {stdev(cells):.1f}, n = {len(cells)}; ratio to random {mean / exact:.2f} "
        f"[{(mean - half) / exact:.2f}, {(mean + half) / exact:.2f}]: {word}"
    )


def random_cells(table: Table, good: set[str], random: Random) -> int:
    names = [unit.name for unit in table.units]
    random.shuffle(names)
    return next(i for i, name in enumerate(names, start=1) if name in good)


def proposed(table: Table, good: set[str], seen: Sequence[int], source: Sampler) -> int:
    units, taken = by_name(table), []
    while True:
        found = source.propose(len(taken), taken)
        if found is None:
            return len(table.units)
        taken.append(found.point)
        if found.point.name in good:
            return len(taken)
        mean = units[found.point.name].mean(seen, table.epochs)
        source.tell(found, Result(None if mean == inf else (mean,)))


def halving_cells(table: Table, good: set[str], seen: Sequence[int], size: int = 27) -> Iterator[float]:
    """Brackets of new points, one after the other, until a good one is trained to its end; epochs as parts of a cell."""
    rungs = rungs_of(SearchSpec(use="halving", eta=3), table.epochs)
    for replay in range(REPLAYS):
        random, cells = Random(replay), 0.0
        names = [unit.name for unit in table.units]
        random.shuffle(names)
        for start in range(0, len(names), size):
            some = names[start : start + size]
            own = {name: random.choice(seen) for name in some}
            share, final = one_halving(table, own, rungs, 3, 1, some)
            cells += share * len(some)
            if set(final) & good:
                break
        yield cells


if __name__ == "__main__":
    read = Table.read(sys.argv[1], sys.argv[2])
    what = sys.argv[3] if len(sys.argv) > 3 else "halving"
    if what == "halving":
        for first, eta in ((1, 3), (1, 2), (2, 3)):
            halving(read, first, eta, 10 if len(read.units) > 30 else 3)
    else:
        searchers(read)
