"""networkx's VF2 as the judge of what is one architecture, and graphs to judge."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import networkx as nx

from resbench.compiler.identity.simplify import GraphValue

# one tensor in, the same shape out; none of them is ever simplified away
SINGLE = ("conv3x3", "conv1x1", "bn", "tanh", "silu", "one_minus", {"dropout": {"rate": 0.5}}, {"scale": {"by": 0.5}})
JOINING = ("add", "multiply", "subtract")
Nodes = dict[str, dict[str, Any]]


def oracle(values: Sequence[GraphValue]) -> nx.DiGraph:
    """Node labels are op and arguments; edge labels the positions of the operand, or how often it stands where order is free."""
    graph = nx.DiGraph()
    graph.add_node(0, label="x", result=not values)
    for number, value in enumerate(values, 1):
        graph.add_node(number, label=value.label, result=number == len(values))
        positions: dict[int, list[int]] = defaultdict(list)
        for position, source in enumerate(value.inputs):
            positions[source].append(0 if value.commutative else position)
        for source, where in positions.items():
            graph.add_edge(source, number, where=tuple(where))
    return graph


def isomorphic(a: nx.DiGraph, b: nx.DiGraph) -> bool:
    matcher = nx.algorithms.isomorphism.DiGraphMatcher(
        a, b, node_match=lambda p, q: p == q, edge_match=lambda p, q: p == q
    )
    return bool(matcher.is_isomorphic())


def swapped(nodes: Nodes, rng: random.Random) -> Nodes:
    """Other names, another order, operands of `add` and `multiply` permuted."""
    words = [f"m{i}" for i in range(len(nodes))]
    rng.shuffle(words)
    new = {"x": "x", "y": "y"} | dict(zip((n for n in nodes if n != "y"), words, strict=False))
    renamed = {}
    for name, node in nodes.items():
        sources = [new[source] for source in node["from"]]
        if node["ops"][0] in ("add", "multiply"):
            rng.shuffle(sources)
        renamed[new[name]] = {"from": sources, "ops": node["ops"]}
    order = list(renamed)
    rng.shuffle(order)
    return {name: renamed[name] for name in order}
