"""Graph of a unit -> IdentityPath: the path of x through it that changes x least, and where F joins it.

The ops on the path before the last sum are the shortcut h, those after it are f (Eq. 1 and 2 of the paper).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from resbench.compiler.graph import BoundNetwork, Graph
from resbench.compiler.identity.normal_form import normal
from resbench.language.graph.op_facts import Join
from resbench.ops.registry import kind
from resbench.theory.op_effects import KINDS, Kind, PathStep, has_weights, kind_of

_SUMS: tuple[Join | None, ...] = ("sum", "difference", "channels")
Cost = tuple[int, ...]  # how many steps of each kind, the worst kind first, then all steps


@dataclass(frozen=True, slots=True)
class IdentityPath:
    """The identity path. `h`, `f`: the steps before and after the sum with F.
    `merge`: the step of that sum; None: no shortcut.
    """

    graph: Graph
    h: tuple[PathStep, ...]
    merge: PathStep | None
    f: tuple[PathStep, ...]

    @property
    def h_kind(self) -> str:
        """`identity`, or the worst kind of step on x; `none` if there is no shortcut."""
        return "none" if self.merge is None else _worst(self.h)

    @property
    def f_kind(self) -> str:
        return _worst(self.f)

    @property
    def non_identity_ops(self) -> int:
        """The number of ops on the path that change x; without a shortcut, those of F count."""
        return sum(step.kind != "kept" for step in (*self.h, *self.f))


def identity_path(graph: Graph) -> IdentityPath:
    """Return the identity path of one unit in normal form."""
    steps = _least_changing(graph)
    joins = [i for i, step in enumerate(steps) if _joins(graph, step)]
    if not joins:
        return IdentityPath(graph, (), None, steps)
    last = joins[-1]
    return IdentityPath(graph, steps[:last], steps[last], steps[last + 1 :])


def inner_unit(bound: BoundNetwork) -> tuple[list[tuple[str, Graph]], int]:
    """Return the most frequent similar units (which excludes the first and the transitions), and the number of all units.
    Units are similar if the same ops read the same values in normal form, whatever their widths and rates.
    """
    units = [(path, graph) for path, graph in normal(bound).parts() if ".units." in path]
    inner = [(path, graph) for path, graph in units if graph.input_shape[1:] == graph.output_shape[1:]] or units
    counts = Counter(_structure(graph) for _, graph in inner)
    first = {_structure(graph): i for i, (_, graph) in enumerate(inner)}
    most = max(counts, key=lambda one: (counts[one], first[one]))
    return [(path, graph) for path, graph in inner if _structure(graph) == most], len(units)


def _structure(graph: Graph) -> tuple[object, ...]:
    return (*((op.op, op.inputs) for op in graph.ops), graph.output)


def _least_changing(graph: Graph) -> tuple[PathStep, ...]:
    """Return the path from x to the output that changes x least."""
    best: list[tuple[Cost, tuple[PathStep, ...]] | None] = [((0,) * (len(KINDS) + 1), ())]
    for value, op in enumerate(graph.ops, start=1):
        candidates: list[tuple[Cost, tuple[PathStep, ...]]] = []
        for via, source in enumerate(op.inputs):
            before = best[source]
            if before is not None:
                candidates.append((_and(before[0], kind_of(op)), (*before[1], PathStep(op, value, via))))
        best.append(min(candidates, key=lambda way: way[0]) if candidates else None)
    found = best[graph.output]
    return () if found is None else found[1]


def _and(cost: Cost, kind: Kind) -> Cost:
    """Add a step to a cost. Steps that keep x count last, so that the shorter of two clean paths is preferred."""
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
