"""Values that a Python program gives for keys of a YAML file -> Nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import index
from os import PathLike, fspath
from typing import SupportsIndex

from resbench.errors import BadInput
from resbench.escape import printable
from resbench.language.yaml.node import Node, Plain, from_plain

Value = bool | int | float | str | PathLike[str] | Sequence["Value"] | Mapping[str, "Value"] | None


def to_node(value: Value, path: str) -> Node:
    """Return the value as a file would hold it. Raises BadInput, with the path, for what no YAML file can hold."""
    return from_plain(_plain(value, path), path)


def to_nodes(values: Mapping[str, Value]) -> dict[str, Node]:
    """Return a Node for each value, by its name."""
    return {name: to_node(value, name) for name, value in values.items()}


def _plain(value: Value, path: str) -> Plain:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, PathLike):
        return fspath(value)
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise BadInput(f"{path}: expected text as a key, got {printable(repr(key))}")
        return {key: _plain(item, f"{path}.{key}") for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [_plain(item, f"{path}[{number}]") for number, item in enumerate(value)]
    if isinstance(value, SupportsIndex):  # a whole number of numpy's
        return index(value)
    raise BadInput(f"{path}: expected a number, text, list or mapping, as in a YAML file, got {type(value).__name__}")
