"""A study in the database -> Found: its ranking with every run, epoch and difference, for pictures and the report. No torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from resbench.errors import BadInput
from resbench.escape import printable
from resbench.evidence.compare import compare
from resbench.evidence.leaderboard import Leaderboard, Row, board_of
from resbench.evidence.study_runs import StudyRuns, study_runs
from resbench.evidence.verdict import test_of
from resbench.language.study.design import EXACT, WORDS, Words
from resbench.statistics.comparison import Comparison, Method
from resbench.statistics.sample import LEVEL, Sample
from resbench.statistics.standing import Scored, Standing, standing
from resbench.store.open import Engine
from resbench.store.records import EpochRecord
from resbench.store.results.epochs import epochs_of_study
from resbench.store.results.reading import StudyRun
from resbench.store.results.recorded_plugins import use_plugins_of
from resbench.store.results.stored import StoredStudy
from resbench.store.results.studies import study_spec


@dataclass(frozen=True, slots=True)
class Measured:
    """A row of the ranking with its finished runs, one a seed, by seed."""

    row: Row
    runs: tuple[StudyRun, ...]

    @property
    def name(self) -> str:
        """As it may be printed; also where two names are one architecture."""
        return printable(self.row.name, 400)

    @property
    def converged(self) -> tuple[StudyRun, ...]:
        return tuple(run for run in self.runs if run.status == "complete" and run.val_error_pct is not None)

    @property
    def diverged(self) -> tuple[StudyRun, ...]:
        return tuple(run for run in self.runs if run.status == "diverged")

    @property
    def n(self) -> str:
        """Runs that converged of those that ended: `4/5`."""
        return f"{self.row.ranked.converged}/{self.row.ranked.n}"


@dataclass(frozen=True)
class Found:
    """`units` in the order of the ranking. `stored`: what the database keeps of the study. `epochs` by the run's number."""

    board: Leaderboard
    units: tuple[Measured, ...]
    samples: tuple[Sample, ...]
    stored: StoredStudy
    epochs: Mapping[int, tuple[EpochRecord, ...]]
    stands: StudyRuns

    @property
    def study(self) -> str:
        return printable(self.board.study, 200)

    @property
    def data(self) -> str:
        return printable(self.board.data, 40)

    @property
    def paired(self) -> bool:
        """Whether the study said so before its first run: its seeds then also draw the data."""
        return self.stands.design.paired

    @property
    def objective(self) -> str:
        """What rows are sorted by."""
        return self.board.objectives[0]

    @property
    def words(self) -> Words:
        return WORDS[self.objective]

    def score(self, run: StudyRun) -> float | None:
        """Of the first objective."""
        value: float | None = getattr(run, self.objective)
        return value

    @property
    def method(self) -> Method:
        return "anytime" if self.stands.looks else "paired" if self.paired else "welch"

    @cached_property
    def best(self) -> Measured | None:
        """The first of the ranking that is in a test at all."""
        tested = {sample.name for sample in self.samples if sample.testable}
        return next((unit for unit in self.units if unit.row.ranked.name in tested), None)

    @cached_property
    def pairs(self) -> tuple[Comparison, ...]:
        """Of all units; by seed where the study is paired. Holm over all of them, so that looking at those with the best is fair:
        picked by its luck, the best is not to be tested at the level of `k - 1` comparisons."""
        looks = len(self.stands.design.race or (1,))
        return tuple(compare(self.samples, n_val=self.stands.images(self.objective), method=self.method, looks=looks))

    def beside_cost(self, cost: str) -> Standing:
        """Of each unit whether no one other is shown to beat it in both the first objective and the cost, at 95 % confidence."""
        both = [
            Scored(tuple(self.stands.samples(name)), self.stands.floor(name), exact=name in EXACT)
            for name in (self.objective, cost)
        ]
        level = LEVEL / len(self.stands.design.race or (1,))
        return standing(both, level, test_of(self.stands))

    def against_best(self) -> list[tuple[Measured, Comparison]]:
        """Every other unit less the best, in the order of the ranking. Raises BadInput where there is nothing to compare."""
        best = self.best
        if best is None or len(self.units) < 2:
            raise BadInput(
                f"study {self.study}: a difference needs two units, one of them with 3 converged runs; "
                f"`resbench results top` shows how many there are"
            )
        name = best.row.ranked.name
        of = {pair.a: pair for each in self.pairs for pair in (each, turned(each)) if pair.b == name}
        return [(unit, of[unit.row.ranked.name]) for unit in self.units if unit is not best]


def turned(pair: Comparison) -> Comparison:
    """The same of b - a."""

    def less(value: float | None) -> float | None:
        return None if value is None else -value

    return replace(
        pair, a=pair.b, b=pair.a, n_a=pair.n_b, n_b=pair.n_a, difference=less(pair.difference),
        effect_sd=less(pair.effect_sd), ci_low=less(pair.ci_high), ci_high=less(pair.ci_low),
    )  # fmt: skip


def found(engine: Engine, study: str) -> Found:
    """With the plugins that the study ran with. Raises BadInput for an unknown study and for one without a finished run."""
    use_plugins_of(engine, study)
    stands = study_runs(engine, study)
    board, samples = board_of(stands), stands.samples(stands.design.objectives[0])
    runs = {name: _by_seed(of) for name, of in zip(stands.names, stands.groups.values(), strict=True)}
    units = tuple(Measured(row, runs.get(row.ranked.name, ())) for row in board.rows)
    stored = StoredStudy.from_json(study_spec(engine, study))
    return Found(board, units, tuple(samples), stored, epochs_of_study(engine, study), stands)


def _by_seed(runs: Sequence[StudyRun]) -> tuple[StudyRun, ...]:
    """One run a seed, though it may stand under several names."""
    by_seed = {run.seed: run for run in runs}
    return tuple(by_seed[seed] for seed in sorted(by_seed))
