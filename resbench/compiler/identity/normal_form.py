"""BoundNetwork -> BoundNetwork in its normal form: the form that is built, run and measured.

Ops that change nothing, or that nothing needs, are gone; nested sums are flattened; equal parameter-free ops are
merged; operands and running order come from the canonical form. Networks of one digest therefore give the same numbers
bit for bit: a sum of three, and the gradients that meet where a value is read three times, depend in their last bits
on the order.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from resbench.compiler.graph import BoundNetwork, BoundOp, BoundStage, Graph
from resbench.compiler.identity.canonical import arrange, canonical
from resbench.compiler.identity.simplify import Simple


@lru_cache(maxsize=8)
def normal(network: BoundNetwork) -> BoundNetwork:
    """Return the normal form. Paths stay; a part that shares an inner value with another part stays as written."""
    found = canonical(network)
    form = _Form(found.simple, found.order)
    graphs: dict[str, Graph] = {}
    entry = 0
    for prefix, graph in network.parts():
        graphs[prefix] = form.rewrite(graph, entry, f"{prefix}.")
        entry = form.value(graph, graph.output, entry, f"{prefix}.")
    stages = tuple(
        BoundStage(
            graphs[f"stages.{s}.before"], tuple(graphs[f"stages.{s}.units.{u}"] for u in range(len(stage.units)))
        )
        for s, stage in enumerate(network.stages)
    )
    return replace(network, stem=graphs["stem"], stages=stages, head=graphs["head"])


class _Form:
    """Simplified values and their rank in the canonical order."""

    def __init__(self, simple: Simple, order: tuple[int, ...]) -> None:
        self.simple = simple
        self.rank = {number: place for place, number in enumerate((0, *order))}

    def value(self, graph: Graph, local: int, entry: int, prefix: str) -> int:
        """Return the simplified value of a value of the graph; -1 for one that is not needed."""
        return entry if local == 0 else self.simple.of.get(prefix + graph.ops[local - 1].path, -1)

    def rewrite(self, graph: Graph, entry: int, prefix: str) -> Graph:
        values = [self.value(graph, local, entry, prefix) for local in range(len(graph.ops) + 1)]
        first = {value: local for local, value in reversed(list(enumerate(values)))}
        first.pop(-1, None)
        reads = {local: self.reads(graph, local, values, first) for local in first.values() if local}
        order = _backwards(first.get(values[graph.output]), reads)
        if order is None:
            return graph
        new = {0: 0} | {local: place for place, local in enumerate(order, 1)}
        ops = tuple(
            self.inside(
                replace(graph.ops[local - 1], inputs=tuple(new[i] for i in reads[local] or ())), values[local], prefix
            )
            for local in order
        )
        return Graph(graph.input_shape, ops, new[first[values[graph.output]]])

    def reads(self, graph: Graph, local: int, values: list[int], first: dict[int, int]) -> tuple[int, ...] | None:
        """Return an op's inputs as values of the graph; None where one is not in this graph."""
        op, value = graph.ops[local - 1], self.simple.values[values[local] - 1]
        sources = value.inputs
        if op.inner and not value.inner:  # it only runs the ops inside it, which have been counted
            sources = tuple(values[i] for i in op.inputs)
        elif value.commutative:
            sources = tuple(sorted(sources, key=self.rank.__getitem__))
        return tuple(first[i] for i in sources) if all(i in first for i in sources) else None

    def inside(self, op: BoundOp, value: int, prefix: str) -> BoundOp:
        """Return the op with the lists of ops among its arguments in their normal form too."""
        arguments = dict(op.arguments)
        for name, inner in self.simple.values[value - 1].inner:
            arguments[name] = _Form(inner, arrange(inner)[0]).rewrite(arguments[name], 0, f"{prefix}{op.path}.{name}.")
        return replace(op, arguments=tuple(arguments.items()))


def _backwards(result: int | None, reads: dict[int, tuple[int, ...] | None]) -> list[int] | None:
    """Return every op that the result needs, each behind its inputs, branch by branch; None where there is no such order."""
    if result is None:
        return None
    order: dict[int, None] = {}
    waiting = [result]
    while waiting:
        local = waiting[-1]
        if local == 0 or local in order:
            waiting.pop()
            continue
        sources = reads[local]
        if sources is None:
            return None
        missing = [i for i in sources if i and i not in order]
        waiting += reversed(missing)
        if not missing:
            order[waiting.pop()] = None
    return list(order)
