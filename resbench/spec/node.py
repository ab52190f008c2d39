"""YAML data that know where they stand: Node(value, place, path).

A Node's value is a scalar (None, bool, int, float, str), an Expression, a tuple of Nodes, or a dict from text to Nodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from resbench.errors import Place, Problem
from resbench.spec.expression import Expression

Scalar = None | bool | int | float | str
Plain = Scalar | list["Plain"] | dict[str, "Plain"]


@dataclass(frozen=True, slots=True)
class Node:
    value: Scalar | Expression | tuple[Node, ...] | dict[str, Node]
    place: Place | None = None
    path: str = ""
    keys: Mapping[str, Place] = field(default_factory=dict)  # where each key of a mapping stands

    def problem(self, message: str) -> Problem:
        return Problem(message, self.path, self.place)

    def key_problem(self, key: str, message: str) -> Problem:
        return Problem(message, join(self.path, key), self.keys.get(key, self.place))

    @property
    def mapping(self) -> dict[str, Node]:
        """The entries of a mapping; a Node of another kind has none."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def items(self) -> tuple[Node, ...]:
        """The items of a list; a Node of another kind has none."""
        return self.value if isinstance(self.value, tuple) else ()

    def shown(self) -> str:
        """The value as a message shows it, short."""
        text = flow(plain(self))
        return text if len(text) <= 60 else f"{text[:57]}..."


def join(path: str, key: str | int) -> str:
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key


def plain(node: Node) -> Plain:
    """Node -> data without places; an expression becomes its text."""
    if isinstance(node.value, Expression):
        return node.value.text
    if isinstance(node.value, tuple):
        return [plain(item) for item in node.value]
    if isinstance(node.value, dict):
        return {key: plain(item) for key, item in node.value.items()}
    return node.value


def from_plain(value: Plain, path: str = "", place: Place | None = None) -> Node:
    """Data written by Python or on the command line -> Node, all at one place. `$` strings become expressions."""
    if isinstance(value, list):
        return Node(tuple(from_plain(item, join(path, i), place) for i, item in enumerate(value)), place, path)
    if isinstance(value, dict):
        return Node({key: from_plain(item, join(path, key), place) for key, item in value.items()}, place, path)
    if isinstance(value, str) and value.startswith("$"):
        return Node(Expression.parse(value), place, path)
    return Node(value, place, path)


def flow(value: object) -> str:
    """Plain data -> YAML flow text, as people write it.

    >>> flow({"kernel": [3, 3], "bias": False, "init": None, "cut": "no"})
    '{kernel: [3, 3], bias: false, init: null, cut: no}'
    """
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, float):
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)
    return str(value)


def all_nodes(node: Node) -> Iterable[Node]:
    """The node and everything below it, in the order written."""
    yield node
    for item in (*node.items, *node.mapping.values()):
        yield from all_nodes(item)
