"""Two bound networks -> the differences of their normal forms, part by part; none where they are one architecture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import zip_longest

from resbench.compiler.graph import BoundNetwork, BoundOp, Graph
from resbench.compiler.identity.canonical import canonical
from resbench.compiler.identity.normal_form import normal
from resbench.compiler.identity.simplify import non_default_arguments
from resbench.language.yaml.scalar import flow
from resbench.ops.registry import kind

Test = Callable[[int, int], bool]


@dataclass(frozen=True, slots=True)
class GraphEdit:
    """An edit of one op. `path` is the op in the first network; `was` and `now` are its arguments, or its inputs, in
    the first and the second.
    """

    path: str
    was: str
    now: str


@dataclass(frozen=True, slots=True)
class PartDifference:
    """A difference of one part. `parts` are its paths in both networks; then come ops that only one has, with their
    arguments, and changes of ops that both have.
    """

    parts: tuple[str, ...] = ()
    only_first: tuple[str, ...] = ()
    only_second: tuple[str, ...] = ()
    arguments: tuple[GraphEdit, ...] = ()
    reads: tuple[GraphEdit, ...] = ()


def difference(first: BoundNetwork, second: BoundNetwork) -> list[PartDifference]:
    """Return the differences; parts are paired by their order, and equal differences are reported once, with all their places."""
    if canonical(first).digest == canonical(second).digest:
        return []
    empty = Graph((), (), 0)
    pairs: dict[tuple[Graph, Graph], list[str]] = {}
    for left, right in zip_longest(normal(first).parts(), normal(second).parts(), fillvalue=("", empty)):
        pairs.setdefault((left[1], right[1]), []).append(left[0] or right[0])
    parts_by_difference: dict[PartDifference, list[str]] = {}
    for (a, b), parts in pairs.items():
        parts_by_difference.setdefault(_compare(a, b), []).extend(parts)
    return [
        replace(found, parts=tuple(parts)) for found, parts in parts_by_difference.items() if found != PartDifference()
    ]


@dataclass(slots=True)
class _Matching:
    """A matching of equal values in two graphs; it begins with 0, the input."""

    first: Graph
    second: Graph
    partner: dict[int, int] = field(default_factory=lambda: {0: 0})

    def match(self, numbers: list[int], test: Test) -> None:
        """Pair the remaining ops: each op of the first graph with the first op of the second that passes the test."""
        for i in numbers:
            taken = set(self.partner.values())
            free = [j for j in range(1, len(self.second.ops) + 1) if j not in taken]
            found = next((j for j in free if test(i, j)), None) if i not in self.partner else None
            if found is not None:
                self.partner[i] = found

    def op(self, i: int, j: int) -> tuple[BoundOp, BoundOp]:
        return self.first.ops[i - 1], self.second.ops[j - 1]

    def alike(self, i: int, j: int) -> bool:
        a, b = self.op(i, j)
        return _description(a) == _description(b)

    def reads_alike(self, i: int, j: int) -> bool:
        a, b = self.op(i, j)
        return self.alike(i, j) and [self.partner.get(n) for n in a.inputs] == list(b.inputs)

    def read_alike(self, i: int, j: int) -> bool:
        mine = {(self.partner.get(n, -n), place) for n, place in _readers(self.first, i)}
        return self.alike(i, j) and mine == set(_readers(self.second, j))

    def same_place(self, i: int, j: int) -> bool:
        a, b = self.op(i, j)
        return (a.op, a.path) == (b.op, b.path)


def _compare(first: Graph, second: Graph) -> PartDifference:
    """Compare two graphs; ops are paired by their inputs, then by their readers, then by their label, then by their path."""
    matching = _Matching(first, second)
    numbers = list(range(1, len(first.ops) + 1))
    for order, test in (
        (numbers, matching.reads_alike),
        (numbers[::-1], matching.read_alike),
        (numbers, matching.alike),
        (numbers, matching.same_place),
    ):
        matching.match(order, test)
    partner = matching.partner
    pairs = [matching.op(i, j) for i, j in sorted(partner.items()) if i]
    reads = [
        GraphEdit(a.path, _names(first, a), _names(second, b))
        for a, b in pairs
        if [partner.get(n) for n in a.inputs] != list(b.inputs)
    ]
    return PartDifference(
        (),
        tuple(f"{op.path}: {_description(op)}" for i, op in enumerate(first.ops, 1) if i not in partner),
        tuple(f"{op.path}: {_description(op)}" for j, op in enumerate(second.ops, 1) if j not in partner.values()),
        tuple(_changed(a, b) for a, b in pairs if _description(a) != _description(b)),
        tuple(reads),
    )


def _description(op: BoundOp) -> str:
    """Return the op's name and non-default arguments, with the ops inside it."""
    arguments = non_default_arguments(op, kind(op.op))
    inside = "".join(f" {name} [{', '.join(map(_description, graph.ops))}]" for name, graph in op.inner)
    return op.op + (f" {flow(arguments)}" if arguments else "") + inside


def _changed(a: BoundOp, b: BoundOp) -> GraphEdit:
    """Return only the arguments that differ, where both ops have the same name."""
    if a.op != b.op or a.inner or b.inner:
        return GraphEdit(a.path, _description(a), _description(b))
    mine, other = dict(a.arguments), dict(b.arguments)
    keys = [key for key in mine if mine[key] != other[key]]
    return GraphEdit(a.path, *(flow({key: arguments[key] for key in keys}).strip("{}") for arguments in (mine, other)))


def _readers(graph: Graph, number: int) -> list[tuple[int, int]]:
    """Return the readers of a value and their input positions; the end of the graph is number 0."""
    found = [(j, p) for j, op in enumerate(graph.ops, 1) for p, i in enumerate(op.inputs) if i == number]
    return [*found, *([(0, 0)] if graph.output == number else [])]


def _names(graph: Graph, op: BoundOp) -> str:
    return ", ".join("x" if i == 0 else graph.ops[i - 1].path for i in op.inputs)
