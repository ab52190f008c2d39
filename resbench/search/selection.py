"""Runs by which a search chooses -> its Results, by the study's objectives."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from resbench.language.study.design import EXACT
from resbench.search.point import Point
from resbench.search.pruning import WORST_PCT, means_of
from resbench.search.sampler import Result
from resbench.statistics.promotion import AtRung
from resbench.store.open import Engine
from resbench.store.results.rungs import RungResult, curves, results_at_epoch


@dataclass(frozen=True, slots=True)
class Selection:
    """Reads what a search chooses by: of one study, its data, its objectives, and the seeds by which it chooses."""

    engine: Engine
    data: str
    objectives: tuple[str, ...]
    seeds: tuple[int, ...]

    def lacks(self, points: Collection[Point]) -> list[str]:
        """Return the names of the points of which a run is missing: a cell of them was lost."""
        return [
            p.name
            for p in points
            if sum(run.status != "failed" for run in self._runs(p, None).values()) < len(self.seeds)
        ]

    def at_rung(self, point: Point, epoch: int) -> AtRung:
        """Return where a point was after an epoch; one that did not come so far, or was not finite, is none that counts."""
        runs = self._runs(point, epoch)
        alive = [
            run for run in runs.values()
            if run.epochs >= epoch and run.val_error_pct is not None and (run.status != "diverged" or run.epochs > epoch)
        ]  # fmt: skip
        return AtRung(
            tuple(tuple(self._value(point, run, name) for run in alive) for name in self.objectives), len(self.seeds)
        )

    def result(self, point: Point) -> Result:
        """Return the result of runs that are as far as they go.

        Its values are None where under half of them have a number, or one is missing.
        """
        runs = self._runs(point, None)
        pruned = any(run.status == "stopped" for run in runs.values())
        counted = [
            run for run in runs.values() if run.status in ("complete", "stopped") and run.val_error_pct is not None
        ]
        epochs = sum(run.epochs for run in runs.values())
        if 2 * len(counted) < len(self.seeds) or len(runs) < len(self.seeds):
            return Result(None, epochs, pruned)
        values = tuple(fmean(self._value(point, run, name) for run in counted) for name in self.objectives)
        return Result(values, epochs, pruned)

    def above(self, points: Collection[Point], start: int, after: int) -> Mapping[str, float]:
        """Return the median of the val errors at each epoch from `start` on that so many of the points have reached."""
        means = [means_of(found) for point in points if (found := self._curves(point))]
        limits: dict[str, float] = {}
        for epoch in range(start, max(map(len, means), default=0) + 1):
            there = sorted(each[epoch - 1] for each in means if len(each) >= epoch)
            if len(there) >= after:
                middle = len(there) // 2
                limits[str(epoch)] = there[middle] if len(there) % 2 else (there[middle - 1] + there[middle]) / 2
        return limits

    def _curves(self, point: Point) -> Sequence[Sequence[float]]:
        found = curves(self.engine, self._identity(point), self.seeds)
        return [[WORST_PCT if error is None else error for error in run] for run in found]

    def _runs(self, point: Point, epoch: int | None) -> dict[int, RungResult]:
        return results_at_epoch(self.engine, self._identity(point), self.seeds, epoch)

    def _identity(self, point: Point) -> tuple[str, str, str]:
        return point.digest, point.recipe.digest, self.data

    def _value(self, point: Point, run: RungResult, name: str) -> float:
        if name in EXACT:
            return float(getattr(point, name))
        value = getattr(run, name)
        return float("inf") if value is None else float(value)
