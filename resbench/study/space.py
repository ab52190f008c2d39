"""StudySpec -> its points, each bound on `meta` and priced: a walk over the questions that binding asks, depth first.

A param is asked for when it is first read, so one that other choices make idle is never asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from resbench.compiler.architecture import Request, bind_network
from resbench.compiler.canonical import canonical
from resbench.compiler.network import build
from resbench.compiler.scope import Choose
from resbench.data.info import DatasetInfo
from resbench.errors import BadInput, Problem, SpecError
from resbench.measure.macs import macs
from resbench.measure.params import params
from resbench.ops.initialisers import initialiser_called
from resbench.spec.check import Check
from resbench.spec.domain import Domain, is_domain, parse_domain
from resbench.spec.library import Library
from resbench.spec.node import Node
from resbench.spec.study import StudySpec, UnitEntry, recipe_at
from resbench.study.grid import MAX_POINTS, choices
from resbench.study.point import Point, Refused
from resbench.train.schedule import length


def space_of(spec: StudySpec, info: DatasetInfo, library: Library) -> tuple[list[Point], list[Refused]]:
    """Every point, checked, each once; and those of a search that cannot be.

    Raises SpecError with everything wrong where of an entry no point can be built: then it is the entry that is wrong.
    """
    points: list[Point] = []
    refused: list[Refused] = []
    check = Check()
    for entry in spec.units:
        try:
            found = list(_walk(spec, entry, info, library))
        except BadInput as error:
            check.report_error(entry.use.node, error)
            continue
        wrong = [one for one in found if isinstance(one, Refused)]
        if len(wrong) == len(found):
            check.problems += wrong[0].problems
        points += [one for one in found if isinstance(one, Point)]
        refused += wrong
    check.done()
    _refuse_equal_names(points, spec)
    return list({point.name: point for point in points}.values()), refused


@dataclass(slots=True)
class _Answers:
    """Answers by a prefix of indices; every further question gets its first answer."""

    prefix: list[int]
    asked: dict[str, tuple[Domain, int]] = field(default_factory=dict)

    def choose(self, name: str, domain: Domain) -> Node:
        options = choices(domain)
        if name not in self.asked:
            number = len(self.asked)
            self.asked[name] = (domain, self.prefix[number] if number < len(self.prefix) else 0)
        return list(options.values())[self.asked[name][1]]

    @property
    def labels(self) -> dict[str, str]:
        """What was answered, by question."""
        return {name: list(choices(domain))[index] for name, (domain, index) in self.asked.items()}

    def following(self) -> list[int] | None:
        """The next prefix, or None at the end of the walk."""
        indices = [(index, len(choices(domain))) for domain, index in self.asked.values()]
        while indices and indices[-1][0] + 1 == indices[-1][1]:
            indices.pop()
        return [index for index, _ in indices[:-1]] + [indices[-1][0] + 1] if indices else None


def _walk(spec: StudySpec, entry: UnitEntry, info: DatasetInfo, library: Library) -> Iterator[Point | Refused]:
    prefix: list[int] | None = []
    for _ in range(MAX_POINTS):
        if prefix is None:
            return
        answers = _Answers(prefix)
        try:
            yield _point(spec, entry, info, library, answers)
        except SpecError as error:
            yield Refused(_name(entry, library.unit(entry.label).name, answers.labels), error.problems)
        prefix = answers.following()
    raise BadInput(f"more than {MAX_POINTS:,} points")


def _point(spec: StudySpec, entry: UnitEntry, info: DatasetInfo, library: Library, answers: _Answers) -> Point:
    unit = library.unit(entry.label)
    vary = [n for n, p in unit.body.params.items() if p.domain and p.by is None] if entry.vary is None else entry.vary
    request = Request(spec.network, entry.use, info.input_shape, info.n_classes, answers.choose, frozenset(vary))
    try:
        bound = bind_network(request, library)
    except SpecError as error:
        raise SpecError([Problem(f"unit {unit.name}: {p.message}", p.path, p.place) for p in error.problems]) from None
    recipe = recipe_at(spec, _recipe_answers(spec, answers.choose))
    run = length(recipe, info.n_train)
    try:
        initialiser_called(recipe.init)
    except BadInput as error:
        raise BadInput(f"recipe {recipe.recipe}: {error}") from None
    cost = params(build(bound)), macs(bound).count
    for name, value, limit in (("params", cost[0], spec.budget.params), ("macs", cost[1], spec.budget.macs)):
        if limit is not None and value > limit:
            raise SpecError([entry.use.node.problem(f"unit {unit.name}: {value:,} {name}; the budget is {limit:,}")])
    labels = answers.labels
    return Point(_name(entry, unit.name, labels), unit.name, labels, {k: d for k, (d, _) in answers.asked.items()},
                 bound, canonical(bound).digest, *cost, recipe, run.epochs)  # fmt: skip


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
