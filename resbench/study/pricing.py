"""An entry of a study's units, and answers -> the Point that they lead to: bound on `meta`, priced, within the budget."""

from __future__ import annotations

from collections.abc import Mapping

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
from resbench.spec.check import Check
from resbench.spec.domain import is_domain, parse_domain
from resbench.spec.library import Library
from resbench.spec.node import Node
from resbench.spec.study import StudySpec, recipe_at
from resbench.spec.study_units import UnitEntry
from resbench.study.answers import Asked, is_structure
from resbench.study.point import Point
from resbench.train.schedule import length


def point_at(spec: StudySpec, entry: UnitEntry, info: DatasetInfo, library: Library, asked: Asked) -> Point:
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
    own = {name: label for name, label in asked.labels.items() if not is_structure(name)}
    return Point(
        name_of(entry, unit.name, own), unit.name, own, {name: asked.domains[name] for name in own}, bound,
        canonical(bound).digest, *cost, recipe, run.epochs,
    )  # fmt: skip


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


def name_of(entry: UnitEntry, unit: str, labels: Mapping[str, str]) -> str:
    """The unit and what was said of its params: `constant_scaling shortcut_scale=0.5`."""
    said = {key: node.shown() for key, node in entry.use.arguments.items() if not is_domain(node)}
    said |= {name.removeprefix("unit."): label for name, label in labels.items()}
    return " ".join([unit, *(f"{key}={value}" for key, value in said.items())])
