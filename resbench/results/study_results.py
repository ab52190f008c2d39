"""A study in a database -> StudyResults: its ranking with every run, epoch and difference. No torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from resbench.errors import BadInput
from resbench.escape import printable
from resbench.evidence.assessment import test_of
from resbench.evidence.compare import compare
from resbench.evidence.leaderboard import Leaderboard, Row, rank_runs
from resbench.evidence.study_runs import StudyRuns, study_runs
from resbench.language.study.design import EXACT, WORDS, ObjectiveWords
from resbench.statistics.comparison import Comparison, Method
from resbench.statistics.sample import LEVEL, Sample
from resbench.statistics.standing import Scored, TieMembership, standing
from resbench.store.open import Engine
from resbench.store.records import EpochRecord
from resbench.store.results.epochs import epochs_of_study
from resbench.store.results.reading import StudyRun
from resbench.store.results.recorded_plugins import use_plugins_of
from resbench.store.results.stored import StoredStudy
from resbench.store.results.studies import study_spec


@dataclass(frozen=True, slots=True)
class UnitResults:
    """A row of the ranking with its finished runs, one a seed, by seed. `shown`: the row with its names as they are shown."""

    row: Row
    shown: Row
    runs: tuple[StudyRun, ...]

    @property
    def name(self) -> str:
        """As it may be printed; also where two names are one architecture."""
        return printable(self.shown.name, 400)

    @property
    def converged(self) -> tuple[StudyRun, ...]:
        return tuple(run for run in self.runs if run.status == "complete" and run.val_error_pct is not None)

    @property
    def diverged(self) -> tuple[StudyRun, ...]:
        return tuple(run for run in self.runs if run.status == "diverged")

    @property
    def n(self) -> str:
        """The runs that converged, of those that ended: `4/5`."""
        return f"{self.row.ranked.converged}/{self.row.ranked.n}"


@dataclass(frozen=True)
class StudyResults:
    """The results of a study.

    Attributes:
        units: in the order of the ranking.
        stored: what the database keeps of the study.
        epochs: the epochs of each run, by its number.
        source: the runs that the ranking was computed from.
    """

    board: Leaderboard
    units: tuple[UnitResults, ...]
    samples: tuple[Sample, ...]
    stored: StoredStudy
    epochs: Mapping[int, tuple[EpochRecord, ...]]
    source: StudyRuns

    @property
    def study(self) -> str:
        return printable(self.board.study, 200)

    @property
    def data(self) -> str:
        return printable(self.board.data, 40)

    @property
    def paired(self) -> bool:
        """Whether the study is paired, which it declares before its first run: its seeds then also draw the data."""
        return self.source.design.paired

    @property
    def objective(self) -> str:
        """The first objective, by which rows are sorted."""
        return self.board.objectives[0]

    @property
    def words(self) -> ObjectiveWords:
        return WORDS[self.objective]

    def score(self, run: StudyRun) -> float | None:
        """Return the value of a run for the first objective."""
        value: float | None = getattr(run, self.objective)
        return value

    @property
    def method(self) -> Method:
        return "anytime" if self.source.looks else "paired" if self.paired else "welch"

    @cached_property
    def best(self) -> UnitResults | None:
        """The first unit of the ranking that can be tested."""
        tested = {sample.name for sample in self.samples if sample.testable}
        return next((unit for unit in self.units if unit.row.ranked.name in tested), None)

    @cached_property
    def pairs(self) -> tuple[Comparison, ...]:
        """The comparisons of all pairs of units, by seed where the study is paired.

        Holm's correction is over all pairs, also where only those with the best are shown: the best was selected by its mean, so
        the level of `k - 1` comparisons would be too liberal.
        """
        looks = len(self.source.design.race or (1,))
        return tuple(compare(self.samples, n_val=self.source.images(self.objective), method=self.method, looks=looks))

    def beside_cost(self, cost: str) -> TieMembership:
        """Return, for each unit, whether no other unit is shown to be better in both the first objective and the cost (95 %)."""
        both = [
            Scored(tuple(self.source.samples(name)), self.source.floor(name), exact=name in EXACT)
            for name in (self.objective, cost)
        ]
        level = LEVEL / len(self.source.design.race or (1,))
        return standing(both, level, test_of(self.source))

    def against_best(self) -> list[tuple[UnitResults, Comparison]]:
        """Return every other unit minus the best, in the order of the ranking.

        Raises BadInput where there is nothing to compare.
        """
        best = self.best
        if best is None or len(self.units) < 2:
            raise BadInput(
                f"study {self.study}: a difference requires two units, one of them with 3 converged runs; "
                f"`resbench results top` shows the number of runs"
            )
        name = best.row.ranked.name
        of = {pair.a: pair for each in self.pairs for pair in (each, turned(each)) if pair.b == name}
        return [(unit, of[unit.row.ranked.name]) for unit in self.units if unit is not best]


def turned(pair: Comparison) -> Comparison:
    """Return the comparison of b with a: a pair with its sides exchanged."""

    def negated(value: float | None) -> float | None:
        return None if value is None else -value

    return replace(
        pair, a=pair.b, b=pair.a, n_a=pair.n_b, n_b=pair.n_a, difference=negated(pair.difference),
        effect_sd=negated(pair.effect_sd), ci_low=negated(pair.ci_high), ci_high=negated(pair.ci_low),
    )  # fmt: skip


def study_results(engine: Engine, study: str) -> StudyResults:
    """Read the results of a study, with the plugins that it used. Raises BadInput for an unknown study and for one without a
    finished run.
    """
    use_plugins_of(engine, study)
    source = study_runs(engine, study)
    board, samples = rank_runs(source), source.samples(source.design.objectives[0])
    runs = {name: _by_seed(of) for name, of in zip(source.names, source.groups.values(), strict=True)}
    units = tuple(
        UnitResults(row, shown, runs.get(row.ranked.name, ()))
        for row, shown in zip(board.rows, board.shortened().rows, strict=True)
    )
    stored = StoredStudy.from_json(study_spec(engine, study))
    return StudyResults(board, units, tuple(samples), stored, epochs_of_study(engine, study), source)


def _by_seed(runs: Sequence[StudyRun]) -> tuple[StudyRun, ...]:
    """Return one run per seed, though a run may be listed under several names."""
    by_seed = {run.seed: run for run in runs}
    return tuple(by_seed[seed] for seed in sorted(by_seed))
