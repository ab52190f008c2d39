"""The runs of a study in a database -> its leaderboard: one row per architecture (and recipe, where the study searches it)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from statistics import fmean

from resbench.errors import BadInput
from resbench.evidence.assessment import Assessment, assess
from resbench.evidence.names import short_names
from resbench.evidence.still_improving import was_improving
from resbench.evidence.study_runs import SearchSummary, StudyRuns, aliases, shown_name, study_runs
from resbench.language.study.design import EXACT
from resbench.statistics.intervals import interval, median_interval, share_interval
from resbench.statistics.ranking import Ranked, rank
from resbench.statistics.sample import Sample
from resbench.store.open import Engine
from resbench.store.results.reading import StudyRun
from resbench.store.results.trials_without_runs import UntrainedUnit

UNEQUAL = 0.1  # of params or MACs, relative to the smallest


@dataclass(frozen=True, slots=True)
class Summary:
    """A further objective of a row. `std` and the 95 % interval are None for an exact objective, and below 3 runs."""

    mean: float | None
    std: float | None
    ci_low: float | None
    ci_high: float | None


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the leaderboard: one architecture.

    Attributes:
        unit: the name that was given first; `aliases` are further names of the same architecture.
        train_s: the mean over runs.
        median_interval: low, high and coverage, by order statistics.
        others: the objectives beside the first.
        left_at: the number of seeds at the look at which a race dropped the unit.
        failed: why the training of a unit without runs failed.
    """

    ranked: Ranked
    unit: str
    aliases: tuple[str, ...]
    digest: str
    params: int
    macs: int | None
    train_s: float | None
    median_interval: tuple[float | None, float | None, float] | None
    others: Mapping[str, Summary]
    left_at: int | None
    failed: str | None = None

    @property
    def name(self) -> str:
        return shown_name(self.unit, self.aliases)

    def shortened(self, shown: Mapping[str, str]) -> Row:
        """Return the row as it is shown, by how each name is."""
        return replace(self, unit=shown[self.unit], aliases=tuple(shown[name] for name in self.aliases))

    def as_json(self) -> dict[str, object]:
        """Return a flat mapping: val errors in percent, `train_s` in seconds, further objectives as `val_loss_mean` and so on."""
        r = self.ranked
        others = {f"{name}_{key}": getattr(s, key) for name, s in self.others.items() for key in Summary.__slots__}
        return {
            "rank": r.rank, "unit": self.unit, "aliases": list(self.aliases), "digest": self.digest,
            "n": r.n, "converged": r.converged, "diverged": r.diverged, "missing": r.missing,
            "converged_share_interval": share_interval(r.converged, r.n) if r.n else None,
            "median": r.median, "median_interval": self.median_interval,
            "mean": r.mean, "std": r.std, "ci_low": r.ci_low, "ci_high": r.ci_high,
            ("on_front" if self.others else "tied_with_best"): r.tied_with_best, "fails": r.fails, "skewed": r.skewed,
            "params": self.params, "macs": self.macs, "train_s": self.train_s,
            "left_at": self.left_at, "failed": self.failed, **others,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """The ranking of a study.

    Attributes:
        objectives: the rows are sorted by the first.
        fail_above: a run with an error above this (percent) has failed, by the recipe.
        improving: units whose training error was still falling at the end.
        unequal: sentences that say how the sizes of units differ.
        largest_class_error_pct: the val error of a constant answer, the most frequent class.
    """

    study: str
    data: str
    n_val: int
    rows: tuple[Row, ...]
    fail_above: float | None
    objectives: tuple[str, ...] = ("val_error_pct",)
    verdict: Assessment | None = None
    searched: SearchSummary | None = None
    improving: tuple[str, ...] = ()
    unequal: tuple[str, ...] = ()
    largest_class_error_pct: float | None = None

    def shortened(self) -> Leaderboard:
        """Return the board as tables and sentences show it; what is looked up by a unit's name is looked up in the whole one."""
        shown = self.shown
        rows = tuple(row.shortened(shown) for row in self.rows)
        return replace(
            self, rows=rows, improving=tuple(shown.get(name, name) for name in self.improving),
            unequal=tuple(_unequal(rows)) if self.unequal else (),
        )  # fmt: skip

    @property
    def shown(self) -> dict[str, str]:
        """Every name of every unit -> how it is shown beside the others."""
        return short_names(name for row in self.rows for name in (row.unit, *row.aliases))

    @property
    def unclaimed(self) -> bool:
        """Whether some row is in no test: it has fewer than 3 converged runs, and does not fail."""
        return any(row.ranked.tied_with_best is None and row.ranked.n and not row.ranked.fails for row in self.rows)

    def verdict_on(self, row: Row) -> str:
        """Return the text of a row in the column `best?`."""
        if row.ranked.n == 0:
            return "not run" if row.failed is None else "failed"
        if row.ranked.fails:
            return "fails"
        inside, outside = ("front", "") if len(self.objectives) > 1 else ("tied", "worse")
        return {True: inside, False: outside, None: "?"}[row.ranked.tied_with_best]


def leaderboard(engine: Engine, study: str) -> Leaderboard:
    """Return the leaderboard of a study. Raises BadInput for an unknown study and for one without a finished run."""
    return rank_runs(study_runs(engine, study))


def rank_runs(runs: StudyRuns) -> Leaderboard:
    verdict = assess(runs)
    left = _left(runs, verdict)
    wanted = _wanted(runs, verdict)
    first, *more = runs.design.objectives
    samples = {sample.name: sample for sample in _samples(runs, first, wanted)}
    of = dict(zip(runs.names, runs.groups.items(), strict=True))
    without = {each.unit: each for each in runs.untrained}
    others = {name: {s.name: s for s in _samples(runs, name, wanted)} for name in more}
    rows = []
    for ranked in rank(list(samples.values()), n_val=runs.images(first), tied=verdict.tied):
        if ranked.name in without:
            rows.append(_without_runs(ranked, without[ranked.name], more))
            continue
        key, group = of[ranked.name]
        beside = {name: _summary(found[ranked.name], runs.images(name), name) for name, found in others.items()}
        rows.append(_row(ranked, key[0], group, samples[ranked.name], beside, left=left.get(ranked.name)))
    return Leaderboard(
        runs.study, runs.data, runs.n_val, tuple(rows), runs.fail_above, runs.design.objectives, verdict, runs.searched,
        _improving(runs), () if runs.sizes_vary else tuple(_unequal(rows)),
        runs.largest_class_error_pct,
    )  # fmt: skip


def find_entry(runs: StudyRuns, asked: str) -> str:
    """Return a unit's whole first name, for a name, the start of a name or of a digest, or its number in the ranking.

    Raises BadInput, with the names or numbers that exist, for anything else.
    """
    if not asked.isascii() or not asked.isdigit() or int(asked) == 0:
        return runs.find(asked)
    rows = rank_runs(runs).rows
    if int(asked) > len(rows):
        raise BadInput(f"number in the ranking: expected 1 to {len(rows)}, got {asked}")
    return rows[int(asked) - 1].ranked.name


def _improving(runs: StudyRuns) -> tuple[str, ...]:
    samples = {sample.name: sample for sample in runs.samples()}
    return tuple(
        name
        for name, group in zip(runs.names, runs.groups.values(), strict=True)
        if was_improving(
            samples[name], [runs.ends[run.run_id] for run in group if run.status == "complete" and run.run_id in runs.ends],
            runs.n_val,
        )
    )  # fmt: skip


def _unequal(rows: Sequence[Row]) -> Iterator[str]:
    """Yield a sentence for each cost in which units differ by more than a tenth."""
    for word in ("params", "macs"):
        of = attrgetter(word)
        priced = [row for row in rows if of(row)]
        if not priced:
            continue
        small, large = min(priced, key=of), max(priced, key=of)
        if of(large) > (1 + UNEQUAL) * of(small):
            more = f"{of(large) / of(small) - 1:.0%} more {word.replace('macs', 'MACs')}"
            yield f"{large.unit} has {more} than {small.unit}"


def _left(runs: StudyRuns, verdict: Assessment) -> dict[str, int]:
    """Return, for each unit that a race dropped, its number of seeds at that look."""
    if verdict.race is None or runs.design.race is None:
        return {}
    return {name: runs.design.race[look] for name, look in verdict.race.left.items() if look is not None}


def _wanted(runs: StudyRuns, verdict: Assessment) -> dict[str, int]:
    """Return, for each unit of a race, the number of seeds that it was to get."""
    if verdict.race is None or runs.design.race is None:
        return {}
    looks, replayed = runs.design.race, verdict.race
    last = replayed.taken - 1 if replayed.over else len(looks) - 1
    return {name: looks[last if at is None else at] for name, at in replayed.left.items()}


def _samples(runs: StudyRuns, objective: str, wanted: Mapping[str, int]) -> list[Sample]:
    """Return the samples of all runs; in a race, a seed that a unit was not to get does not count as missing."""
    return [
        Sample(s.name, s.scores, s.diverged, max(0, wanted[s.name] - s.n), s.seeds) if s.name in wanted else s
        for s in runs.samples(objective)
    ]


def _row(
    ranked: Ranked, digest: str, group: list[StudyRun], sample: Sample, others: Mapping[str, Summary], *,
    left: int | None,
) -> Row:  # fmt: skip
    seconds = [run.train_s for run in group if run.train_s is not None]
    name, *more = aliases(group)
    middle = median_interval(sample)
    between = None if middle is None else (middle.low, middle.high, middle.coverage)
    spent = fmean(seconds) if seconds else None
    return Row(ranked, name, tuple(more), digest, group[0].params, group[0].macs, spent, between, others, left)


def _without_runs(ranked: Ranked, unit: UntrainedUnit, objectives: Sequence[str]) -> Row:
    others = dict.fromkeys(objectives, Summary(None, None, None, None))
    return Row(
        ranked, unit.unit, (), unit.digest, unit.params, unit.macs, None, None, others, None, unit.failed
    )  # fmt: skip


def _summary(sample: Sample, n_val: int | None, objective: str) -> Summary:
    if objective in EXACT:
        return Summary(sample.mean, None, None, None)
    low, high = interval(sample, n_val) or (None, None)
    return Summary(sample.mean, None if sample.variance is None else sample.variance**0.5, low, high)
