"""A unit's file, in the network of a study -> the digest of that architecture.  The one part of the room that needs torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from resbench.compiler.binding.network import Request, bind_network
from resbench.compiler.identity.canonical import canonical
from resbench.errors import BadInput
from resbench.escape import printable
from resbench.language.graph.network import Use
from resbench.language.library.library import Library
from resbench.language.names import why_not
from resbench.language.study.command_line import word_value
from resbench.language.yaml.node import Node, from_plain
from resbench.ops.schema import table


def bound_digest(
    asked: str | Path | Mapping[str, Any], network: Mapping[str, Any], input_shape: str, classes: int
) -> str:
    """`asked`: a path, perhaps with values behind it (`mine.yaml gate_bias=-6`), or what such a file holds.

    Raises BadInput, with the place in the file, for what cannot be built there.
    """
    if isinstance(asked, Mapping):
        name = str(asked.get("unit", ""))
        if why_not(name) is not None:
            raise BadInput(f"`unit`: {why_not(name)}")
        with TemporaryDirectory() as folder:
            path = Path(folder) / f"{name}.yaml"
            path.write_text(json.dumps(dict(asked)), "utf-8")  # JSON is YAML
            return bound_digest(path, network, input_shape, classes)
    path_text, *words = [str(asked)] if isinstance(asked, Path) else asked.split()
    path = Path(path_text)
    arguments = {key: from_plain(value) for key, value in network.items() if key != "use"}
    net = Use(str(network["use"]), arguments, Node(network["use"]))
    unit = Use(str(path.absolute()), dict(_value(word) for word in words), Node(path_text))
    _, rows, columns = shape = tuple(int(size) for size in input_shape.split("x"))
    request = Request(net, unit, (shape[0], rows, columns), classes)
    return canonical(bind_network(request, Library(table(), path.absolute().parent))).digest


def _value(word: str) -> tuple[str, Node]:
    key, sign, text = word.partition("=")
    if not sign:
        raise BadInput(f"`{printable(word)}`: write name=value behind a unit's file")
    return key, word_value(text, word)
