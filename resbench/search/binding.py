"""An entry of a study's units, and answers -> the Point that they lead to: bound on `meta`, priced, within the budget."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from resbench.compiler.binding.network import Request, bind_network
from resbench.compiler.binding.scope import Choose
from resbench.compiler.graph import BoundNetwork
from resbench.compiler.identity.canonical import canonical
from resbench.compiler.modules.network import check_count
from resbench.data.info import DatasetInfo
from resbench.errors import BadInput, Problem, SpaceTooLarge, SpecError, TooLarge
from resbench.language.graph.params import is_domain, parse_domain
from resbench.language.library.library import Library
from resbench.language.study.entries import UnitEntry
from resbench.language.study.study import StudySpec, recipe_at
from resbench.language.yaml.node import Node
from resbench.language.yaml.problems import Problems
from resbench.measure.limits import over_budget
from resbench.measure.macs import macs
from resbench.measure.memory_check import DeviceMemory, lacks_memory
from resbench.measure.params import bound_params
from resbench.ops.initialisers import initialiser_called
from resbench.search.answers import PointAnswers, is_structure
from resbench.search.latencies import Latencies
from resbench.search.point import Point
from resbench.train.memory import load_of
from resbench.train.schedule import length

MAX_MACS = 2**63 - 1  # what a database counts in


@dataclass(frozen=True, slots=True)
class PointBinder:
    """Binds and prices the points of a study. `room`: of the device that they must fit on, if they must."""

    spec: StudySpec
    info: DatasetInfo
    library: Library
    latencies: Latencies
    room: DeviceMemory | None = None

    def point(self, entry: UnitEntry, answers: PointAnswers) -> Point:
        """Bind the point that the answers lead to.

        Raises SpecError where it cannot be built, is over the budget, or, in a search, is too large for the device; in a grid
        that is a BadInput: all of its points are asked for.
        """
        unit, bound = self.library.unit(entry.label), self._bound(entry, answers)
        recipe = recipe_at(self.spec, _recipe_answers(self.spec, answers.choose))
        try:
            run = length(recipe, self.info.n_train)
            initialiser_called(recipe.init)
        except BadInput as error:
            raise SpecError([self.spec.recipe.problem(str(error))]) from None
        digest, cost = canonical(bound).digest, (bound_params(bound), macs(bound).count)
        with self._refusals(entry):
            check_count(bound, cost[0])
            if cost[1] > MAX_MACS:
                title = f"{bound.name} of {bound.unit}"
                raise BadInput(f"{title}: {cost[1]:,} multiply-adds of one image; at most {MAX_MACS:,} are allowed")
        over = over_budget(bound, self.spec.budget, cost, lambda device: self.latencies.of(bound, digest, device))
        if over is not None:
            raise SpecError([entry.use.node.problem(f"unit {unit.name}: {over}")])
        own = {name: label for name, label in answers.labels.items() if not is_structure(name)}
        domains = {name: answers.domains[name] for name in own}
        name = name_of(entry, unit.name, own)
        with self._refusals(entry):
            lacking = None if self.room is None else lacks_memory(bound, load_of(bound, recipe, self.info), self.room)
            if lacking is not None:
                raise TooLarge(f"{name} in {bound.name}: {lacking}")
        mine = unit.node if self.library.is_added(unit.name) else None
        return Point(name, unit.name, own, domains, bound, digest, *cost, recipe, run.epochs, mine)

    @contextmanager
    def _refusals(self, entry: UnitEntry) -> Iterator[None]:
        """Turn a BadInput inside into a SpecError, with which a search goes on without the point.

        A grid is one list of points, so it is the study that cannot be.
        """
        try:
            yield
        except BadInput as error:
            if self.spec.search.is_grid:
                raise
            raise SpecError([entry.use.node.problem(str(error))]) from None

    def _bound(self, entry: UnitEntry, answers: PointAnswers) -> BoundNetwork:
        unit, info = self.library.unit(entry.label), self.info
        searched = [n for n, p in unit.body.params.items() if p.domain and p.by is None]
        vary = frozenset(searched if entry.vary is None else entry.vary)
        request = Request(self.spec.network, entry.use, info.input_shape, info.n_classes, answers.choose, vary)
        try:
            return bind_network(request, self.library)
        except SpecError as error:
            problems = [Problem(f"unit {unit.name}: {p.message}", p.path, p.place) for p in error.problems]
            raise SpecError(problems) from None
        except SpaceTooLarge:
            raise
        except BadInput as error:
            raise SpecError([entry.use.node.problem(f"unit {unit.name}: {error}")]) from None


def _recipe_answers(spec: StudySpec, choose: Choose) -> dict[str, Node]:
    """Choose the recipe's values that are searched: at its top and in its optimizer."""
    found: dict[str, Node] = {}
    for prefix, node in (("", spec.recipe), ("optimizer.", spec.recipe.mapping.get("optimizer", Node({})))):
        for key, value in node.mapping.items():
            if is_domain(value):
                check = Problems()
                domain = parse_domain(value, check)
                check.done()
                assert domain is not None
                found[prefix + key] = choose(f"recipe.{key}", domain)
    return found


def name_of(entry: UnitEntry, unit: str, labels: Mapping[str, str]) -> str:
    """Return the unit's name with the values of its params: `constant_scaling shortcut_scale=0.5`."""
    values = {key: node.shown() for key, node in entry.use.arguments.items() if not is_domain(node)}
    values |= {name.removeprefix("unit."): label for name, label in labels.items()}
    return " ".join([unit, *(f"{key}={value}" for key, value in values.items())])
