"""Define YAML data with their places: Node(value, place, path).

A Node's value is a scalar (None, bool, int, float, str), an Expression, a tuple of Nodes, or a dict from text to Nodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from resbench.errors import Place, Problem
from resbench.escape import printable
from resbench.language.expressions.expression import Expression
from resbench.language.yaml.scalar import Scalar
from resbench.language.yaml.scalar import flow as flow

Plain = Scalar | list["Plain"] | dict[str, "Plain"]

MAX_MESSAGE, MAX_PATH = 1500, 200  # characters


@dataclass(frozen=True, slots=True)
class Node:
    value: Scalar | Expression | tuple[Node, ...] | dict[str, Node]
    place: Place | None = None
    path: str = ""
    keys: Mapping[str, Place] = field(default_factory=dict)  # the place of each key of a mapping
    end: Place | None = None  # the end of a value that has one: a scalar on its own lines has one, a block has none

    def problem(self, message: str) -> Problem:
        return problem(message, self.path, self.place)

    def key_problem(self, key: str, message: str) -> Problem:
        """Return a problem at the key itself; its path is the entry's own, which an override may have set."""
        entry = self.mapping.get(key)
        path = entry.path if entry is not None and entry.path else join(self.path, key)
        return problem(message, path, self.keys.get(key, self.place))

    @property
    def mapping(self) -> dict[str, Node]:
        """Return the entries of a mapping; a Node of another kind has none."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def items(self) -> tuple[Node, ...]:
        """Return the items of a list; a Node of another kind has none."""
        return self.value if isinstance(self.value, tuple) else ()

    def shown(self) -> str:
        """Return the value in short form for messages."""
        return printable(flow(plain(self)))


def problem(message: str, path: str, place: Place | None) -> Problem:
    """Return a Problem whose texts, which may hold any name or value of the file, are made printable."""
    return Problem(printable(message, MAX_MESSAGE), printable(path, MAX_PATH), place)


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


def values(node: Node) -> dict[str, Plain]:
    """Return the entries of a mapping as data."""
    return {key: plain(value) for key, value in node.mapping.items()}


def from_plain(value: Plain, path: str = "", place: Place | None = None) -> Node:
    """Data written by Python or on the command line -> Node, all at one place. `$` strings become expressions."""
    if isinstance(value, list):
        return Node(tuple(from_plain(item, join(path, i), place) for i, item in enumerate(value)), place, path)
    if isinstance(value, dict):
        return Node({key: from_plain(item, join(path, key), place) for key, item in value.items()}, place, path)
    if isinstance(value, str) and value.startswith("$"):
        return Node(Expression.parse(value), place, path)
    return Node(value, place, path)


def moved(node: Node, place: Place) -> Node:
    """Return the same data, all at one place."""
    if isinstance(node.value, tuple):
        return Node(tuple(moved(item, place) for item in node.items), place, node.path)
    if isinstance(node.value, dict):
        return Node({key: moved(item, place) for key, item in node.mapping.items()}, place, node.path)
    return Node(node.value, place, node.path)


def all_nodes(node: Node) -> Iterable[Node]:
    """Yield the node and everything below it, in the order written."""
    yield node
    for item in (*node.items, *node.mapping.values()):
        yield from all_nodes(item)
