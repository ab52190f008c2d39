"""Names and values of a program, or words of the command line (`depth=110 unit.gate_bias=0`) -> Request, which is bound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from resbench.api.architecture.library import library_of
from resbench.compiler.binding.network import Request, bind_network
from resbench.compiler.graph import BoundNetwork
from resbench.data.info import DatasetInfo
from resbench.data.registry import info
from resbench.did_you_mean import did_you_mean
from resbench.errors import BadInput
from resbench.language.graph.network import Use
from resbench.language.graph.params import Param
from resbench.language.graph.unit import UnitSpec
from resbench.language.library.library import Library
from resbench.language.study.command_line import word_value
from resbench.language.yaml.node import Node

SMALL_NETWORK = "resnet_cifar"  # whose depth may be left out, where a unit is bound in it


def settings_of(words: Sequence[str], example: str = "size=64") -> Node:
    """Words such as `size=64` -> a mapping. Raises BadInput for a word that is not a setting."""
    found: dict[str, Node] = {}
    for word in words:
        key, sign, text = word.partition("=")
        if not sign or not key:
            raise BadInput(f"expected NAME=VALUE, as in {example}, got `{word}`")
        found[key] = word_value(text, word)
    return Node(found)


def make_request(
    library: Library,
    network: str,
    params: Mapping[str, Node],
    *,
    unit: str | None = None,
    unit_params: Mapping[str, Node] | None = None,
    data: DatasetInfo | None = None,
) -> Request:
    """Return the request to bind. Raises BadInput for `params` that the network does not have."""
    spec = library.network(network)
    for key in params:
        if key not in spec.params:
            raise unknown(key, params[key], ["unit", "unit.PARAM", "data", *spec.params])
    given = dict(unit_params or {})
    asked = Use(unit or spec.unit.name, given, Node(unit or "")) if unit is not None or given else None
    shape, classes = (None, None) if data is None else (data.input_shape, data.n_classes)
    return Request(Use(network, dict(params), Node(network)), asked, shape, classes)


def unknown(key: str, value: Node, allowed: Sequence[str]) -> BadInput:
    """Return the error for an unknown name; for one of the command line, with its word."""
    word = key if value.place is None else value.place.text
    return BadInput(f"`{word}`: no `{key}` here; names: {', '.join(allowed)}{did_you_mean(key, allowed)}")


def request_of(network: str, words: tuple[str, ...], library: Library | None = None) -> tuple[Request, Library]:
    """Return the request for a network, and its library. Raises BadInput for an unknown word."""
    library = library or library_of(network)
    own: dict[str, Node] = {}
    of_unit: dict[str, Node] = {}
    unit: str | None = None
    data: DatasetInfo | None = None
    spec = library.network(network)
    for word in words:
        key, sign, text = word.partition("=")
        if not sign:
            raise BadInput(
                f"expected NAME=VALUE, got `{word}`; names: unit, unit.PARAM, data, {', '.join(spec.params)}"
            )
        if key == "unit":
            unit = text
        elif key == "data":
            data = info(text)
        elif key.startswith("unit."):
            of_unit[key.removeprefix("unit.")] = word_value(text, word)
        else:
            own[key] = word_value(text, word)
    return make_request(library, network, own, unit=unit, unit_params=of_unit, data=data), library


def bind_in(
    library: Library, unit: tuple[UnitSpec, str], network: str, given: Mapping[str, Node], data: str | None = None
) -> BoundNetwork:
    """Return a small network of the unit with two units in each stage, which has first, inner and transition places.

    `unit`: what its file says, and the name by which the library finds it. `given` are values for params of the unit (or written
    `unit.PARAM`) and of the network.
    """
    spec, reference = unit
    own = spec.body.params
    params_of_network: Mapping[str, Param] = library.network(network).params
    of_unit, of_network = {}, _small(network, spec)
    for key, value in given.items():
        if key in own:
            of_unit[key] = value
        elif key.startswith("unit."):
            of_unit[key.removeprefix("unit.")] = value
        elif key in params_of_network:
            of_network[key] = value
        else:
            raise unknown(key, value, [*own, "network", "data", *params_of_network])
    about = None if data is None else info(data)
    return bind_network(
        make_request(library, network, of_network, unit=reference, unit_params=of_unit, data=about), library
    )


def _small(network: str, unit: UnitSpec) -> dict[str, Node]:
    """Return the smallest depth of the CIFAR net with two units in each stage."""
    layers = unit.boundary.layers.value
    return {"depth": Node(6 * layers + 2)} if network == SMALL_NETWORK and isinstance(layers, int) else {}
