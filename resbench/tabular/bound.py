"""A unit's file, in the network of a study -> the digest of that architecture.  Only this file of the package needs torch."""

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
    unit_file: str | Path | Mapping[str, Any], network: Mapping[str, Any], input_shape: str, classes: int
) -> str:
    """Return the digest of a unit in a network. `unit_file`: a path, optionally followed by values (`mine.yaml gate_bias=-6`), or

    the content of such a file. Raises BadInput, with the place in the file, if it cannot be built there.
    """
    if isinstance(unit_file, Mapping):
        name = str(unit_file.get("unit", ""))
        if why_not(name) is not None:
            raise BadInput(f"`unit`: {why_not(name)}")
        with TemporaryDirectory() as folder:
            path = Path(folder) / f"{name}.yaml"
            path.write_text(json.dumps(dict(unit_file)), "utf-8")  # JSON is YAML
            return bound_digest(path, network, input_shape, classes)
    path_text, *words = [str(unit_file)] if isinstance(unit_file, Path) else unit_file.split()
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
        raise BadInput(f"`{printable(word)}`: expected name=value after a unit's file")
    return key, word_value(text, word)
