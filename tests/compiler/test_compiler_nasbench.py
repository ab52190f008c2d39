"""Cells of NAS-Bench-201: classes by digest against classes by VF2."""

from __future__ import annotations

import itertools
import os
import random
from collections import defaultdict
from typing import Any

import networkx as nx
import pytest
from compiler_oracle import Nodes, isomorphic, oracle
from compiler_sample import digest, of

from resbench.compiler.graph import BoundNetwork
from resbench.compiler.identity.canonical import canonical
from resbench.compiler.identity.simplify import simplify

FULL = os.environ.get("RESBENCH_FUZZ") == "full"
CLASSES = 5875  # of the 15,625 cells, simplified
EDGES = list(itertools.combinations(range(4), 2))
NB201: dict[str, list[Any]] = {
    "none": ["zero"],
    "skip": [],
    "conv1x1": ["relu", "conv1x1", "bn"],
    "conv3x3": ["relu", "conv3x3", "bn"],
    "avgpool3x3": [{"avg_pool": {"kernel": 3, "count_pad": False}}],
}


def cell(choices: tuple[str, ...]) -> BoundNetwork:
    """A cell of NAS-Bench-201 (arXiv:2001.00326): four nodes that sum, an op on each of the six edges."""
    nodes: Nodes = {}
    for (start, stop), choice in zip(EDGES, choices, strict=True):
        source = "x" if start == 0 else f"n{start}"
        nodes[f"e{start}{stop}"] = {"from": [source], "ops": NB201[choice]}
    for stop in (1, 2, 3):
        name = "y" if stop == 3 else f"n{stop}"
        nodes[name] = {"from": [f"e{start}{stop}" for start in range(stop)], "ops": ["add"]}
    return of(nodes)


def test_nas_bench_201() -> None:
    """Classes by digest are those that VF2 finds among the simplified graphs, on a sample of the 15,625 cells.

    With RESBENCH_FUZZ=full (`make fuzz`) on all of them.
    """
    every = list(itertools.product(NB201, repeat=len(EDGES)))
    sample = every if FULL else random.Random(0).sample(every, 280)
    sample += [tuple(random.Random(i).choices(["none", "skip", "conv3x3"], k=6)) for i in range(40)]
    by_digest: dict[str, list[nx.DiGraph]] = defaultdict(list)
    for choices in sample:
        bound = cell(choices)
        by_digest[canonical(bound).digest].append(oracle(simplify(bound).values))
    for members in by_digest.values():
        assert all(isomorphic(members[0], member) for member in members[1:])
    near: dict[object, list[nx.DiGraph]] = defaultdict(list)
    for members in by_digest.values():
        near[_in_common(members[0])].append(members[0])
    for heads in near.values():
        assert not any(isomorphic(a, b) for a, b in itertools.combinations(heads, 2))
    assert len(by_digest) == CLASSES if FULL else 200 < len(by_digest) < len(sample)


def _in_common(graph: nx.DiGraph) -> object:
    """What isomorphic graphs have in common, quickly: each value's label with those of what it reads."""
    label = dict(graph.nodes(data="label"))
    return tuple(sorted((label[n], tuple(sorted(label[m] for m in graph.predecessors(n)))) for n in graph))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("none", "none", "none", "skip", "avgpool3x3", "avgpool3x3"), ("none",) * 6),
        # node 1 is copied to node 2 along either edge
        (("conv3x3", "none", "none", "skip", "none", "skip"), ("conv3x3", "none", "none", "none", "skip", "none")),
        (("skip", "none", "none", "conv3x3", "none", "skip"), ("none", "conv3x3", "none", "none", "none", "skip")),
    ],
)
def test_cells_that_are_one(first: tuple[str, ...], second: tuple[str, ...]) -> None:
    assert digest(cell(first)) == digest(cell(second))
