"""Graph -> CodeTree, the tree of its paths: nodes, the ops and blocks in them, the nodes of those blocks, and so on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from torch import nn

from resbench.compiler.graph import BoundOp, Graph


@dataclass(frozen=True, slots=True)
class CodeTree:
    """An op (no parts), a chain of ops and blocks (a node, a stem), or a part with nodes (`block`: a unit, a block).

    `values`: the numbers of the values made in it. `path` is from the root of the graph.
    """

    path: str
    values: tuple[int, ...]
    parts: tuple[CodeTree, ...] = ()
    block: bool = False

    @property
    def name(self) -> str:
        return self.path.rpartition(".")[2]

    @property
    def title(self) -> str:
        """Return the name without its number."""
        return self.name.rstrip("0123456789")

    @property
    def is_op(self) -> bool:
        return not self.parts

    @property
    def last(self) -> int:
        return self.values[-1]


def tree(graph: Graph, *, block: bool) -> CodeTree:
    """Return the whole graph as one part; `block` says whether its paths begin with a node, as a unit's do."""
    return _part("", [(op.path.split("."), number) for number, op in enumerate(graph.ops, 1)], block)


def _part(path: str, ops: list[tuple[list[str], int]], block: bool) -> CodeTree:
    below: dict[str, list[tuple[list[str], int]]] = {}
    for (name, *rest), number in ops:
        below.setdefault(name, []).append((rest, number))
    parts = []
    for name, inside in below.items():
        inner = f"{path}.{name}" if path else name
        is_op = inside[0][0] == []
        parts.append(CodeTree(inner, (inside[0][1],)) if is_op else _part(inner, inside, not block))
    parts.sort(key=lambda part: part.last)  # at the position of its last input
    return CodeTree(path, tuple(number for _, number in ops), tuple(parts), block)


class TreeReader:
    """A reader of the dependencies in a graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.readers: dict[int, list[int]] = {number: [] for number in range(len(graph.ops) + 1)}
        for number, op in enumerate(graph.ops, 1):
            for source in op.inputs:
                self.readers[source].append(number)
        self.readers[graph.output].append(0)  # the world outside

    def op(self, part: CodeTree) -> BoundOp:
        return self.graph.ops[part.last - 1]

    def sources(self, part: CodeTree) -> tuple[int, ...]:
        """Return the external values that a part reads, in the order of their first use."""
        inside = set(part.values)
        read = (i for number in part.values for i in self.graph.ops[number - 1].inputs)
        return tuple(dict.fromkeys(i for i in read if i not in inside))

    def results(self, part: CodeTree) -> tuple[int, ...]:
        """Return a part's values that other parts read."""
        inside = set(part.values)
        return tuple(n for n in part.values if any(reader not in inside for reader in self.readers[n]))

    def closed(self, part: CodeTree) -> bool:
        """Return whether only the last value of a part is read outside, so that the part can run as one."""
        return self.results(part) == (part.last,)

    def takes_one(self, part: CodeTree) -> bool:
        """Return whether a part reads exactly one value, once."""
        if part.is_op:
            return len(self.op(part).inputs) == 1
        return self.closed(part) and len(self.sources(part)) == 1

    def linked(self, parts: Iterable[CodeTree]) -> bool:
        """Return whether each part alone reads the result of the one before it."""
        row = list(parts)
        return all(self.takes_one(part) for part in row) and all(
            self.sources(after) == (before.last,) == self.results(before) and self.only_reader(before, after)
            for before, after in pairwise(row)
        )

    def only_reader(self, before: CodeTree, after: CodeTree) -> bool:
        return all(reader in after.values for reader in self.readers[before.last])

    def is_row(self, part: CodeTree) -> bool:
        """Return whether a part is the sequence of its parts, down to ops and to blocks that are not sequences."""
        if part.is_op or any(item.name in _TAKEN for item in part.parts):
            return False
        return self.linked(part.parts) and all(self.is_layer(item) for item in part.parts)

    def is_layer(self, part: CodeTree) -> bool:
        """Return whether it can be a layer among others: it takes one value and yields one."""
        return self.takes_one(part) and (part.is_op or part.block or self.is_row(part))


_TAKEN = frozenset(dir(nn.Sequential()))  # no layer can be called so
