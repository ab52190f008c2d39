"""StudySpec -> every value that it uses, each with its source: the study, the command line, a file, a default."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from resbench.language.graph.network import NetworkSpec
from resbench.language.graph.params import Param
from resbench.language.library.library import Library
from resbench.language.recipe.recipe import Optimizer, RecipeSpec
from resbench.language.study.command_line import COMMAND_LINE
from resbench.language.study.entries import UnitEntry
from resbench.language.study.study import StudySpec
from resbench.language.yaml.node import Node, flow, join, plain

DEFAULT = "default"
_STATED_ELSEWHERE = ("study", "network", "units", "recipe", "extends", "doc", "cite")


@dataclass(frozen=True, slots=True)
class ResolvedValue:
    """A value as YAML and its source; an expression is evaluated at each place of the network, so it is kept as written."""

    path: str
    value: str
    origin: str


def resolved(spec: StudySpec, library: Library) -> list[ResolvedValue]:
    """Return the values in order: the study's own keys, its network, its units, its recipe."""
    found = [v for key, node in spec.node.mapping.items() if key not in _STATED_ELSEWHERE for v in _leaves(node, key)]
    if "seeds" not in spec.node.mapping:
        found.append(ResolvedValue("seeds", str(len(spec.seeds)), DEFAULT))
    network = library.network(str(spec.network.name))
    found.append(_value("network.use", spec.network.node.mapping.get("use", spec.network.node)))
    found += _params("network", network.params, [spec.network.arguments])
    for number, entry in enumerate(spec.units):
        found += _unit(f"units[{number}]", entry, network, library)
    found += [value for value in _leaves(spec.recipe, "recipe") if value.path not in ("recipe.doc", "recipe.cite")]
    found += _defaults(RecipeSpec, spec.recipe, "recipe")
    return [*found, *_defaults(Optimizer, spec.recipe.mapping.get("optimizer", Node({})), "recipe.optimizer")]


def _unit(path: str, entry: UnitEntry, network: NetworkSpec, library: Library) -> Iterator[ResolvedValue]:
    """Yield a unit's values; the entry's own override the network's, which override those of the unit's file."""
    yield _value(f"{path}.use", entry.use.node.mapping.get("use", entry.use.node))
    unit = library.unit(entry.label)
    yield from _params(path, unit.body.params, [entry.use.arguments, network.unit.arguments])
    if "vary" in entry.use.node.mapping:
        yield _value(f"{path}.vary", entry.use.node.mapping["vary"])


def _params(path: str, params: Mapping[str, Param], given: list[Mapping[str, Node]]) -> Iterator[ResolvedValue]:
    for name, param in params.items():
        node = next((values[name] for values in given if name in values), param.by or param.default)
        yield _value(join(path, name), node)


def _value(path: str, node: Node) -> ResolvedValue:
    place = node.place
    if place is None:
        return ResolvedValue(path, flow(plain(node)), DEFAULT)
    return ResolvedValue(
        path, flow(plain(node)), f"{place.file}: {place.text}" if place.file == COMMAND_LINE else str(place)
    )


def _leaves(node: Node, path: str) -> Iterator[ResolvedValue]:
    """Yield every value below a mapping."""
    if not node.mapping:
        yield _value(path, node)
    for key, item in node.mapping.items():
        yield from _leaves(item, join(path, key))


def _defaults(model: type[BaseModel], node: Node, path: str) -> Iterator[ResolvedValue]:
    """Yield the recipe's values that are defaults of the language."""
    for name, field in model.model_fields.items():
        unset = (field.alias or name) not in node.mapping and field.default is not PydanticUndefined
        if unset and name not in ("doc", "cite") and field.default is not None:
            yield ResolvedValue(join(path, field.alias or name), flow(field.default), DEFAULT)
