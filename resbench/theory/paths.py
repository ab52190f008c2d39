"""Graph of a unit -> IdentityPath: the way of least harm that x takes through it, and where F joins it.

What stands on the path before the last sum is the shortcut h, what stands behind it is f (Eq. 1 and 2 of the paper).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from resbench.compiler.graph import BoundNetwork, Graph
from resbench.compiler.identity.normal_form import normal
from resbench.language.graph.op_facts import Join
from resbench.ops.registry import kind
from resbench.theory.steps import KINDS, Kind, PathStep, has_weights, kind_of

_SUMS: tuple[Join | None, ...] = ("sum", "difference", "channels")
Cost = tuple[int, ...]  # how many steps of each kind, the worst kind first, then all steps


@dataclass(frozen=True, slots=True)
class IdentityPath:
    """`h`, `f`: the steps before and behind the sum that F joins. `merge`: that sum's step, None: no sum, no shortcut."""

    graph: Graph
    h: tuple[PathStep, ...]
    merge: PathStep | None
    f: tuple[PathStep, ...]

    @property
    def h_kind(self) -> str:
        """`identity`, or the worst that is done to x; `none` where F alone leads on."""
        return "none" if self.merge is None else _worst(self.h)

    @property
    def f_kind(self) -> str:
        return _worst(self.f)

    @property
    def harm(self) -> int:
        """Ops on the path that do something to x; weight layers of F among them where there is no shortcut."""
        return sum(step.kind != "kept" for step in (*self.h, *self.f))


def identity_path(graph: Graph) -> IdentityPath:
    """Of one unit, in its normal form."""
    steps = _mildest(graph)
    joins = [i for i, step in enumerate(steps) if _joins(graph, step)]
    if not joins:
        return IdentityPath(graph, (), None, steps)
    last = joins[-1]
    return IdentityPath(graph, steps[:last], steps[last], steps[last + 1 :])


def inner_unit(bound: BoundNetwork) -> tuple[list[tuple[str, Graph]], int]:
    """Return the units that are alike and most frequent (which leaves out the first and the transitions), and how many
    units there are.

    Units are alike where the same ops read the same values, whatever their widths and rates. In the normal form.
    """
    units = [(path, graph) for path, graph in normal(bound).parts() if ".units." in path]
    inner = [(path, graph) for path, graph in units if graph.input_shape[1:] == graph.output_shape[1:]] or units
    counts = Counter(_structure(graph) for _, graph in inner)
    first = {_structure(graph): i for i, (_, graph) in enumerate(inner)}
    most = max(counts, key=lambda one: (counts[one], first[one]))
    return [(path, graph) for path, graph in inner if _structure(graph) == most], len(units)


def _structure(graph: Graph) -> tuple[object, ...]:
    return (*((op.op, op.inputs) for op in graph.ops), graph.output)


def _mildest(graph: Graph) -> tuple[PathStep, ...]:
    """From x to the output, by least harm."""
    best: list[tuple[Cost, tuple[PathStep, ...]] | None] = [((0,) * (len(KINDS) + 1), ())]
    for value, op in enumerate(graph.ops, start=1):
        ways: list[tuple[Cost, tuple[PathStep, ...]]] = []
        for via, source in enumerate(op.inputs):
            before = best[source]
            if before is not None:
                ways.append((_and(before[0], kind_of(op)), (*before[1], PathStep(op, value, via))))
        best.append(min(ways, key=lambda way: way[0]) if ways else None)
    found = best[graph.output]
    return () if found is None else found[1]


def _and(cost: Cost, kind: Kind) -> Cost:
    """Steps that keep x whole still count last, so that of two clean ways the shorter is taken."""
    counts = list(cost)
    counts[-1] += 1
    if kind != "kept":
        counts[len(KINDS) - 1 - KINDS.index(kind)] += 1
    return tuple(counts)


def _joins(graph: Graph, step: PathStep) -> bool:
    """Return whether a branch with weights joins the path here."""
    others = [source for i, source in enumerate(step.op.inputs) if i != step.via]
    return kind(step.op.op).joins in _SUMS and any(_has_weights(graph, source) for source in others)


def _has_weights(graph: Graph, value: int) -> bool:
    waiting, seen = [value], set()
    while waiting:
        one = waiting.pop()
        if one == 0 or one in seen:
            continue
        seen.add(one)
        op = graph.ops[one - 1]
        if has_weights(op) or op.inner:
            return True
        waiting += op.inputs
    return False


def _worst(steps: tuple[PathStep, ...]) -> str:
    kinds = [step.kind for step in steps if step.kind != "kept"]
    return max(kinds, key=KINDS.index) if kinds else "identity"
