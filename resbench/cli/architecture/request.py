"""Words of the command line (`depth=110 unit=UNIT unit.gate_bias=0 data=digits`) -> Request: what is to be bound."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from resbench.compiler.binding.network import Request
from resbench.data.registry import info
from resbench.errors import BadInput, did_you_mean
from resbench.language.graph.network import Use
from resbench.language.library.library import Library
from resbench.language.study.command_line import word_value
from resbench.language.yaml.node import Node
from resbench.ops.schema import table


def settings_of(words: Sequence[str], example: str = "size=64") -> Node:
    """Words such as `size=64` -> a mapping. Raises BadInput for one that is no setting."""
    found: dict[str, Node] = {}
    for word in words:
        key, sign, text = word.partition("=")
        if not sign or not key:
            raise BadInput(f"expected NAME=VALUE, as in {example}, got `{word}`")
        found[key] = word_value(text, word)
    return Node(found)


def request_of(network: str, words: tuple[str, ...], library: Library | None = None) -> tuple[Request, Library]:
    """With the library that the network was found in. Raises BadInput for a word that says nothing of it."""
    library = library or Library(table(), Path(network).parent if network.endswith(".yaml") else None)
    own: dict[str, Node] = {}
    of_unit: dict[str, Node] = {}
    unit: str | None = None
    input_shape, classes = None, None
    spec = library.network(network)
    for word in words:
        key, sign, text = word.partition("=")
        if not sign:
            raise BadInput(f"`{word}`: write name=value; names: unit, unit.PARAM, data, {', '.join(spec.params)}")
        if key == "unit":
            unit = text
        elif key == "data":
            found = info(text)
            input_shape, classes = found.input_shape, found.n_classes
        elif key.startswith("unit."):
            of_unit[key.removeprefix("unit.")] = word_value(text, word)
        elif key in spec.params:
            own[key] = word_value(text, word)
        else:
            options = ["unit", "unit.PARAM", "data", *spec.params]
            raise BadInput(f"`{word}`: no `{key}` here; names: {', '.join(options)}{did_you_mean(key, options)}")
    asked = None
    if unit is not None or of_unit:
        asked = Use(unit or spec.unit.name, of_unit, Node(unit or ""))
    return Request(Use(network, own, Node(network)), asked, input_shape, classes), library
