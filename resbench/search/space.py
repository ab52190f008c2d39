"""StudySpec -> its points, each bound on `meta` and priced: all of them, or the one that somebody's answers lead to.

A param is asked for when it is first read, so one that other choices make idle is never asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import count
from random import Random

from resbench.data.info import DatasetInfo
from resbench.errors import BadInput, SpaceTooLarge, SpecError
from resbench.language.generate.mutations import mutant
from resbench.language.generate.orderings import Arrange
from resbench.language.graph.network import Use
from resbench.language.graph.params import Choices, Range
from resbench.language.library.library import Library
from resbench.language.study.entries import UnitEntry
from resbench.language.study.study import StudySpec
from resbench.language.yaml.node import Node
from resbench.language.yaml.problems import Problems
from resbench.measure.memory_check import DeviceMemory
from resbench.random_streams import stream
from resbench.search.answers import EDIT, SLOT, UNIT, Answer, PointAnswers, indexed_answers, next_prefix, random_answers
from resbench.search.binding import PointBinder, name_of
from resbench.search.domains import MAX_POINTS
from resbench.search.latencies import Latencies
from resbench.search.point import Point, Refused

SOME_TRIES = 200  # draws for a point that can be built
SAMPLE_TRIES = 20  # draws for each different point that is wanted
MUTANT_TRIES = 500  # draws for one more, before there is held to be none
_SEED = Range(0, 10**6, 1, whole=True)  # of an edit; 0: none


@dataclass(frozen=True)
class Space:
    """The points of a study over its data. `room`: of the device that they must fit on."""

    spec: StudySpec
    info: DatasetInfo
    library: Library
    latencies: Latencies = field(default_factory=Latencies)
    room: DeviceMemory | None = None

    def looked_at(self) -> tuple[list[Point], list[Refused]]:
        """Return the points, or those that a search by rungs draws, or one where a search proposes them; and the refused."""
        search = self.spec.search
        if search.proposes:
            return [self.some()], []
        return self.sample() if not search.is_grid and self.spec.budget.trials is not None else self.all()

    def all(self) -> tuple[list[Point], list[Refused]]:
        """Return every point, checked, each once; and those that cannot be.

        Raises SpecError with everything wrong where of a grid's entry no point can be built: then it is the entry that is wrong.
        Raises SpaceTooLarge for more points than can be walked, where a search may draw from them.
        """
        points: list[Point] = []
        refused: list[Refused] = []
        check = Problems()
        for entry in self.spec.units:
            try:
                found = list(self._walk(entry))
            except BadInput as error:
                if isinstance(error, SpaceTooLarge) and self.spec.budget.trials and not self.spec.search.is_grid:
                    raise
                check.report_error(entry.use.node, error)
                continue
            wrong = [one for one in found if isinstance(one, Refused)]
            if self.spec.search.is_grid and len(wrong) == len(found) and entry.arrange is None and entry.mutate is None:
                check.problems += wrong[0].problems
            points += [one for one in found if isinstance(one, Point)]
            refused += wrong
        check.done()
        if not points and refused:
            raise SpecError(refused[0].problems)
        _refuse_equal_names(points, self.spec)
        return list({point.name: point for point in points}.values()), refused

    def sample(self) -> tuple[list[Point], list[Refused]]:
        """Draw as many different ones as `budget.trials` says, or as the draws find.

        Of two budgets the smaller one's are among the larger one's. Raises SpecError where none can be built.
        """
        trials = self.spec.budget.trials
        random = Random(stream(self.spec.search.seed, 0, "points"))
        if trials is not None and self.spec.budget.latency_ms:  # measured only of those that are drawn
            return self._drawn(trials, random)
        try:
            points, refused = self.all()
        except SpaceTooLarge:
            assert trials is not None
            return self._drawn(trials, random)
        order = list(range(len(points)))
        random.shuffle(order)
        return [points[i] for i in sorted(order[:trials])], refused

    def _drawn(self, trials: int, random: Random) -> tuple[list[Point], list[Refused]]:
        found: dict[tuple[str, str], Point] = {}
        refused: list[Refused] = []
        for number in range(trials * SAMPLE_TRIES):
            try:
                point = self.at(random_answers(random))[0]
            except SpecError as error:
                refused.append(Refused(f"draw {number + 1}", error.problems))
                continue
            found.setdefault((point.digest, point.recipe.digest), point)
            if len(found) == trials:
                break
        if not found:
            raise SpecError(refused[0].problems)
        points = list(found.values())
        _refuse_equal_names(points, self.spec)
        return points, refused

    def some(self) -> Point:
        """Draw one that can be built. Raises SpecError with what is wrong with the first of many, where none can."""
        first: SpecError | None = None
        for number in range(SOME_TRIES):
            try:
                return self.at(random_answers(Random(stream(0, 0, f"some {number}"))))[0]
            except SpecError as error:
                first = first or error
        assert first is not None
        raise first

    def at(self, answer: Answer) -> tuple[Point, dict[str, str]]:
        """Return the point that the answers lead to, and all of them by question. Raises SpecError where it cannot be built."""
        answers = PointAnswers(answer)
        groups = self._groups
        name = next(iter(groups))
        if len(groups) > 1:
            answers.choose(UNIT, Choices({label: Node(label) for label in groups}))
            name = answers.labels[UNIT]
        entry = groups[name]
        if isinstance(entry, Arrange):
            letters = Choices({letter: Node(letter) for letter in entry.letters})
            word = [str(answers.choose(f"{SLOT}.{i}", letters).value) for i in range(entry.slots)]
            entry = self._arranged[entry.nearest(word).name]
        elif entry.mutate is not None:
            seeds = [int(str(answers.choose(f"{EDIT}.{i}", _SEED).value)) for i in range(entry.mutate.edits)]
            entry = self._mutant(entry, seeds)
        return self._binder.point(entry, answers), dict(answers.labels)

    @cached_property
    def _binder(self) -> PointBinder:
        return PointBinder(self.spec, self.info, self.library, self.latencies, self.room)

    @cached_property
    def _groups(self) -> dict[str, UnitEntry | Arrange]:
        """Return what the first question is about: entries by label, all units of one `arrange` as one."""
        found: dict[str, UnitEntry | Arrange] = {}
        for entry in self.spec.units:
            if entry.arrange is None:
                name = f"mutate {entry.label}" if entry.mutate is not None else name_of(entry, entry.label, {})
                alike = sum(other == name or other.startswith(f"{name} #") for other in found)
                found[f"{name} #{alike + 1}" if alike else name] = entry
            elif not any(entry.arrange is one for one in found.values()):
                found[f"arrange {sum(isinstance(one, Arrange) for one in found.values())}"] = entry.arrange
        return found

    @cached_property
    def _arranged(self) -> Mapping[str, UnitEntry]:
        return {entry.label: entry for entry in self.spec.units if entry.arrange is not None}

    def _mutant(self, entry: UnitEntry, seeds: Sequence[int]) -> UnitEntry:
        """Return the unit after these edits, as an entry of its own. Raises SpecError where there is none."""
        assert entry.mutate is not None
        try:
            node = mutant(self.library.unit(entry.label), entry.mutate, seeds, self.library)
        except SpecError:
            raise
        except BadInput as error:
            raise SpecError([entry.use.node.problem(str(error))]) from None
        if node is self.library.unit(entry.label).node:
            return replace(entry, mutate=None)
        return UnitEntry(Use(self.library.add_unit(node), {}, entry.use.node))

    def _mutants(self, entry: UnitEntry) -> Iterator[Point | Refused]:
        """Yield as many different ones as are asked for or as there are, drawn by the entry's seed; and draws that fail."""
        mutate = entry.mutate
        assert mutate is not None
        found: set[str] = set()
        newest = 0
        for number in count():
            if number - newest > MUTANT_TRIES:
                return
            random = Random(stream(mutate.seed, 0, f"mutate {number}"))
            seeds = [random.randrange(1, 10**6) for _ in range(random.randint(1, mutate.edits))]
            try:
                point = self._binder.point(self._mutant(entry, seeds), PointAnswers(indexed_answers([])))
            except SpecError as error:
                yield Refused(f"{entry.label} edited {number}", error.problems)
                continue
            if point.digest not in found:
                found.add(point.digest)
                newest = number
                yield point
            if len(found) == mutate.count:
                return

    def _walk(self, entry: UnitEntry) -> Iterator[Point | Refused]:
        """Walk over the questions that binding asks, depth first."""
        if entry.mutate is not None:
            yield from self._mutants(entry)
            return
        prefix: list[int] | None = []
        for _ in range(MAX_POINTS):
            if prefix is None:
                return
            answers = PointAnswers(indexed_answers(prefix))
            try:
                yield self._binder.point(entry, answers)
            except SpecError as error:
                yield Refused(name_of(entry, self.library.unit(entry.label).name, answers.labels), error.problems)
            prefix = next_prefix(answers)
        raise SpaceTooLarge(f"more than {MAX_POINTS:,} points")


def _refuse_equal_names(points: list[Point], spec: StudySpec) -> None:
    seen: dict[str, Point] = {}
    for point in points:
        other = seen.setdefault(point.name, point)
        if other is not point and (other.digest, other.recipe.digest) != (point.digest, point.recipe.digest):
            raise SpecError(
                [spec.node.mapping["units"].problem(f"two different units are called `{point.name}`; rename one")]
            )
