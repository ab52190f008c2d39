"""A study's runs in the database -> its leaderboard: one row per architecture (and recipe, where the study searches it)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from resbench.errors import BadInput, did_you_mean
from resbench.evidence.intervals import median_interval
from resbench.evidence.ranking import Ranked, rank
from resbench.evidence.sample import Sample
from resbench.store.catalogue import get_data, get_recipe
from resbench.store.engine import Engine
from resbench.store.reading import StudyRun, runs_of_study
from resbench.store.records import FINISHED
from resbench.store.studies import get_study

Key = tuple[str, str]  # architecture, recipe


@dataclass(frozen=True, slots=True)
class Row:
    """`unit` is the name first given; `aliases` are other names of the same architecture. `train_s` is a mean over runs.

    `median_interval`: low, high and its coverage, by order statistics."""

    ranked: Ranked
    unit: str
    aliases: tuple[str, ...]
    digest: str
    params: int
    macs: int | None
    train_s: float | None
    median_interval: tuple[float | None, float | None, float] | None

    @property
    def name(self) -> str:
        return " = ".join([self.unit, *self.aliases])

    def as_json(self) -> dict[str, object]:
        """Flat, errors in percent on val, `train_s` in seconds."""
        r = self.ranked
        return {
            "rank": r.rank, "unit": self.unit, "aliases": list(self.aliases), "digest": self.digest,
            "n": r.n, "converged": r.converged, "diverged": r.diverged, "missing": r.missing,
            "median": r.median, "median_interval": self.median_interval,
            "mean": r.mean, "std": r.std, "ci_low": r.ci_low, "ci_high": r.ci_high,
            "tied_with_best": r.tied_with_best, "fails": r.fails, "skewed": r.skewed,
            "params": self.params, "macs": self.macs, "train_s": self.train_s,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """`fail_above`: the recipe's word for a mean above it, in percent."""

    study: str
    data: str
    n_val: int
    rows: tuple[Row, ...]
    fail_above: float | None

    @property
    def unclaimed(self) -> bool:
        """Whether there is a row in no test: fewer than 3 converged runs."""
        return any(row.ranked.tied_with_best is None for row in self.rows)


def leaderboard(engine: Engine, study: str) -> Leaderboard:
    """Raises BadInput for an unknown study and for one without a finished run."""
    groups, n_val = grouped(engine, study)
    samples, _ = samples_of(engine, study)
    of = {sample.name: (sample, key) for sample, key in zip(samples, groups, strict=True)}
    rows = []
    for ranked in rank(samples, n_val=n_val):
        sample, key = of[ranked.name]
        runs = groups[key]
        seconds = [run.train_s for run in runs if run.train_s is not None]
        first, *aliases = _names(runs)
        middle = median_interval(sample)
        between = None if middle is None else (middle.low, middle.high, middle.coverage)
        spent = fmean(seconds) if seconds else None
        rows.append(Row(ranked, first, tuple(aliases), key[0], runs[0].params, runs[0].macs, spent, between))
    row = next(iter(groups.values()))[0]
    recipe = json.loads(get_recipe(engine, row.recipe_digest).spec)
    return Leaderboard(study, row.data, n_val, tuple(rows), recipe.get("fail_above"))


def samples_of(engine: Engine, study: str) -> tuple[list[Sample], int]:
    """The study's samples by the names tables show, and the number of val images."""
    groups, n_val = grouped(engine, study)
    wanted = len(json.loads(get_study(engine, study).spec)["seeds"])
    return [_sample(_names(runs)[0], runs, wanted) for runs in groups.values()], n_val


def grouped(engine: Engine, study: str) -> tuple[dict[Key, list[StudyRun]], int]:
    """Finished runs of the study's active trials by architecture and recipe, and the number of val images."""
    runs = [run for run in runs_of_study(engine, study) if run.active and run.status in FINISHED]
    if not runs:
        raise BadInput(f"study {study} has no finished run yet; `resbench study run` trains them")
    groups: dict[Key, list[StudyRun]] = {}
    for run in runs:
        groups.setdefault((run.digest, run.recipe_digest), []).append(run)
    return groups, get_data(engine, runs[0].data_digest).n_val


def find(engine: Engine, study: str, asked: str) -> str:
    """The name under which tables show a unit, also for another name of it. Raises BadInput with the names there are."""
    groups, _ = grouped(engine, study)
    first = {name: names[0] for names in map(_names, groups.values()) for name in names}
    if asked in first:
        return first[asked]
    names = list(first)
    raise BadInput(f"no unit of the study is called `{asked}`{did_you_mean(asked, names)}; units: {', '.join(names)}")


def _names(runs: Sequence[StudyRun]) -> list[str]:
    return list(dict.fromkeys(run.unit for run in runs))


def _sample(name: str, runs: Sequence[StudyRun], wanted: int) -> Sample:
    """One score a seed, though a run may stand under several names."""
    by_seed = {run.seed: run for run in runs}
    converged = [run for run in by_seed.values() if run.status == "complete" and run.val_error_pct is not None]
    return Sample(
        name,
        tuple(run.val_error_pct for run in converged if run.val_error_pct is not None),
        diverged=sum(run.status == "diverged" for run in by_seed.values()),
        missing=max(0, wanted - len(by_seed)),
        seeds=tuple(run.seed for run in converged),
    )
