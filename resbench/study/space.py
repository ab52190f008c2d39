"""StudySpec -> its points, each bound on `meta` and priced: all of them, or the one that somebody's answers lead to.

A param is asked for when it is first read, so one that other choices make idle is never asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from random import Random

from resbench.compiler.architecture import Request, bind_network
from resbench.compiler.canonical import canonical
from resbench.compiler.network import MAX_PARAMS, build
from resbench.compiler.scope import Choose
from resbench.data.info import DatasetInfo
from resbench.errors import BadInput, Problem, SpecError
from resbench.measure.limits import over_budget
from resbench.measure.macs import macs
from resbench.measure.params import bound_params
from resbench.ops.initialisers import initialiser_called
from resbench.seeds import stream
from resbench.spec.arrange import Arrange
from resbench.spec.check import Check
from resbench.spec.domain import Choices, Range, is_domain, parse_domain
from resbench.spec.library import Library
from resbench.spec.mutate import mutant
from resbench.spec.network import Use
from resbench.spec.node import Node
from resbench.spec.study import StudySpec, recipe_at
from resbench.spec.study_units import UnitEntry
from resbench.study.answers import Answer, Asked, by_index, drawn, following
from resbench.study.grid import MAX_POINTS
from resbench.study.point import Point, Refused
from resbench.train.schedule import length

SOME_TRIES = 200  # draws for a point that can be built
MUTANT_TRIES = 50  # draws for each one that is wanted
UNIT, SLOT, EDIT = "unit", "slot", "edit"  # the questions that come before a unit's own
_SEED = Range(0, 10**6, 1, whole=True)  # of an edit; 0: none


@dataclass(frozen=True)
class Space:
    """What a study searches, over what data."""

    spec: StudySpec
    info: DatasetInfo
    library: Library

    def all(self) -> tuple[list[Point], list[Refused]]:
        """Every point, checked, each once; and those of a search that cannot be.

        Raises SpecError with everything wrong where of an entry no point can be built: then it is the entry that is wrong.
        """
        points: list[Point] = []
        refused: list[Refused] = []
        check = Check()
        for entry in self.spec.units:
            try:
                found = list(self._walk(entry))
            except BadInput as error:
                check.report_error(entry.use.node, error)
                continue
            wrong = [one for one in found if isinstance(one, Refused)]
            if len(wrong) == len(found) and entry.arrange is None and entry.mutate is None:
                check.problems += wrong[0].problems
            points += [one for one in found if isinstance(one, Point)]
            refused += wrong
        check.done()
        if not points and refused:
            raise SpecError(refused[0].problems)
        _refuse_equal_names(points, self.spec)
        return list({point.name: point for point in points}.values()), refused

    def some(self) -> Point:
        """One that can be built. Raises SpecError with what is wrong with the first of many, where none can."""
        first: SpecError | None = None
        for number in range(SOME_TRIES):
            try:
                return self.at(drawn(Random(stream(0, 0, f"some {number}"))))[0]
            except SpecError as error:
                first = first or error
        assert first is not None
        raise first

    def at(self, answer: Answer) -> tuple[Point, dict[str, str]]:
        """The point that the answers lead to, and all of them by question. Raises SpecError where it cannot be built."""
        asked = Asked(answer)
        groups = self._groups
        name = next(iter(groups))
        if len(groups) > 1:
            asked.choose(UNIT, Choices({label: Node(label) for label in groups}))
            name = asked.labels[UNIT]
        entry = groups[name]
        if isinstance(entry, Arrange):
            letters = Choices({letter: Node(letter) for letter in entry.letters})
            word = [str(asked.choose(f"{SLOT}.{i}", letters).value) for i in range(entry.slots)]
            entry = self._arranged[entry.nearest(word).name]
        elif entry.mutate is not None:
            seeds = [int(str(asked.choose(f"{EDIT}.{i}", _SEED).value)) for i in range(entry.mutate.edits)]
            entry = self._mutant(entry, seeds)
        return _point(self.spec, entry, self.info, self.library, asked), dict(asked.labels)

    @cached_property
    def _groups(self) -> dict[str, UnitEntry | Arrange]:
        """What the first question is about: entries by label, all units of one `arrange` as one."""
        found: dict[str, UnitEntry | Arrange] = {}
        for entry in self.spec.units:
            if entry.arrange is None:
                name = f"mutate {entry.label}" if entry.mutate is not None else _name(entry, entry.label, {})
                alike = sum(other == name or other.startswith(f"{name} #") for other in found)
                found[f"{name} #{alike + 1}" if alike else name] = entry
            elif not any(entry.arrange is one for one in found.values()):
                found[f"arrange {sum(isinstance(one, Arrange) for one in found.values())}"] = entry.arrange
        return found

    @cached_property
    def _arranged(self) -> Mapping[str, UnitEntry]:
        return {entry.label: entry for entry in self.spec.units if entry.arrange is not None}

    def _mutant(self, entry: UnitEntry, seeds: Sequence[int]) -> UnitEntry:
        """The unit after these edits, as an entry of its own. Raises SpecError where there is none."""
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
        """As many different ones as are asked for, drawn by the entry's seed; beside them those that cannot be built."""
        mutate = entry.mutate
        assert mutate is not None
        found: set[str] = set()
        for number in range(mutate.count * MUTANT_TRIES):
            random = Random(stream(mutate.seed, 0, f"mutate {number}"))
            seeds = [random.randrange(1, 10**6) for _ in range(random.randint(1, mutate.edits))]
            try:
                point = _point(self.spec, self._mutant(entry, seeds), self.info, self.library, Asked(by_index([])))
            except SpecError as error:
                yield Refused(f"{entry.label} edited {number}", error.problems)
                continue
            if point.digest not in found:
                found.add(point.digest)
                yield point
            if len(found) == mutate.count:
                return

    def _walk(self, entry: UnitEntry) -> Iterator[Point | Refused]:
        """Over the questions that binding asks, depth first."""
        if entry.mutate is not None:
            yield from self._mutants(entry)
            return
        prefix: list[int] | None = []
        for _ in range(MAX_POINTS):
            if prefix is None:
                return
            asked = Asked(by_index(prefix))
            try:
                yield _point(self.spec, entry, self.info, self.library, asked)
            except SpecError as error:
                yield Refused(_name(entry, self.library.unit(entry.label).name, asked.labels), error.problems)
            prefix = following(asked)
        raise BadInput(f"more than {MAX_POINTS:,} points")


def _point(spec: StudySpec, entry: UnitEntry, info: DatasetInfo, library: Library, asked: Asked) -> Point:
    unit = library.unit(entry.label)
    vary = [n for n, p in unit.body.params.items() if p.domain and p.by is None] if entry.vary is None else entry.vary
    request = Request(spec.network, entry.use, info.input_shape, info.n_classes, asked.choose, frozenset(vary))
    try:
        bound = bind_network(request, library)
    except SpecError as error:
        raise SpecError([Problem(f"unit {unit.name}: {p.message}", p.path, p.place) for p in error.problems]) from None
    recipe = recipe_at(spec, _recipe_answers(spec, asked.choose))
    run = length(recipe, info.n_train)
    try:
        initialiser_called(recipe.init)
    except BadInput as error:
        raise BadInput(f"recipe {recipe.recipe}: {error}") from None
    cost = bound_params(bound), macs(bound).count
    if cost[0] > MAX_PARAMS:
        build(bound)  # which says so
    over = over_budget(bound, spec.budget, *cost)
    if over is not None:
        raise SpecError([entry.use.node.problem(f"unit {unit.name}: {over}")])
    own = {name: label for name, label in asked.labels.items() if not _is_structure(name)}
    return Point(
        _name(entry, unit.name, own), unit.name, own, {name: asked.domains[name] for name in own}, bound,
        canonical(bound).digest, *cost, recipe, run.epochs,
    )  # fmt: skip


def _is_structure(question: str) -> bool:
    """Whether it is about which unit; a unit's own questions are called `unit.PARAM`."""
    return question == UNIT or question.startswith((f"{SLOT}.", f"{EDIT}."))


def _recipe_answers(spec: StudySpec, choose: Choose) -> dict[str, Node]:
    """The recipe's values that are searched: at its top and in its optimizer."""
    found: dict[str, Node] = {}
    for prefix, node in (("", spec.recipe), ("optimizer.", spec.recipe.mapping.get("optimizer", Node({})))):
        for key, value in node.mapping.items():
            if is_domain(value):
                check = Check()
                domain = parse_domain(value, check)
                check.done()
                assert domain is not None
                found[prefix + key] = choose(f"recipe.{key}", domain)
    return found


def _name(entry: UnitEntry, unit: str, labels: Mapping[str, str]) -> str:
    """The unit and what was said of its params: `constant_scaling shortcut_scale=0.5`."""
    said = {key: node.shown() for key, node in entry.use.arguments.items() if not is_domain(node)}
    said |= {name.removeprefix("unit."): label for name, label in labels.items()}
    return " ".join([unit, *(f"{key}={value}" for key, value in said.items())])


def _refuse_equal_names(points: list[Point], spec: StudySpec) -> None:
    seen: dict[str, Point] = {}
    for point in points:
        other = seen.setdefault(point.name, point)
        if other is not point and (other.digest, other.recipe.digest) != (point.digest, point.recipe.digest):
            raise SpecError(
                [spec.node.mapping["units"].problem(f"two different units are called `{point.name}`; rename one")]
            )
