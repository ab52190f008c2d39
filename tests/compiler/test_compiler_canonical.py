"""Digests of random graphs, with networkx's VF2 as the judge of what is one architecture."""

from __future__ import annotations

import itertools
import random
from collections import defaultdict
from collections.abc import Iterator

import networkx as nx
import torch
from compiler_oracle import JOINING, SINGLE, Nodes, isomorphic, oracle, swapped
from compiler_sample import digest, images, of, weighted
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resbench.compiler.graph import BoundNetwork
from resbench.compiler.identity.canonical import _Search
from resbench.compiler.identity.simplify import GraphValue, simplify

SETTINGS = settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def graphs(draw: st.DrawFn, sizes: tuple[int, int] = (2, 7)) -> Nodes:
    """Every node reads earlier ones; what nothing reads is summed up in `y`."""
    count = draw(st.integers(*sizes))
    names = ["x", *(f"n{i}" for i in range(count))]
    nodes: Nodes = {}
    for i in range(1, count + 1):
        earlier = st.sampled_from(names[:i])
        if draw(st.booleans()):
            sources, ops = [draw(earlier)], draw(st.lists(st.sampled_from(SINGLE), min_size=1, max_size=2))
        else:
            joining = draw(st.sampled_from(JOINING))
            low, high = (2, 2) if joining == "subtract" else (2, 3)
            sources, ops = draw(st.lists(earlier, min_size=low, max_size=high)), [joining]
        nodes[names[i]] = {"from": sources, "ops": list(ops)}
    read = {source for node in nodes.values() for source in node["from"]}
    loose = [name for name in nodes if name not in read]
    return {**nodes, "y": {"from": loose, "ops": ["add", "conv1x1"]}}


@SETTINGS
@given(graphs(), st.randoms(use_true_random=False))
def test_names_order_and_swapped_operands_keep_digest_and_numbers(nodes: Nodes, rng: random.Random) -> None:
    first, second = of(nodes), of(swapped(nodes, rng))
    assert digest(first) == digest(second)
    x = images(2, (4, 8, 8), torch.float64)
    results = [weighted(bound, seed=1).double().eval()(x) for bound in (first, second)]
    assert torch.equal(results[0], results[1])


@SETTINGS
@given(st.lists(graphs((1, 3)), min_size=8, max_size=8))
def test_equal_digests_are_isomorphic_graphs_and_no_others(many: list[Nodes]) -> None:
    simple = [of(nodes) for nodes in many]
    judged = [(digest(bound), oracle(simplify(bound).values)) for bound in simple]
    for (d, g), (e, h) in itertools.combinations(judged, 2):
        assert (d == e) == isomorphic(g, h)


def as_written(bound: BoundNetwork) -> nx.DiGraph:
    """The judge's graph straight from the bound ops, past `simplify`; every op of these tests has no default to spell out."""
    ops = [op for _, op in bound.ops()]
    numbers = {"add": True, "multiply": True}
    return oracle([GraphValue(f"{op.op} {op.arguments}", op.inputs, numbers.get(op.op, False), None) for op in ops])


def enumerated() -> Iterator[Nodes]:
    """Graphs of four nodes over few ops: many near twins. Left out are those that simplify: the same op twice, sums in sums."""
    steps = [(op, 1) for op in ("conv1x1", "tanh")] + [(op, 2) for op in ("add", "multiply", "subtract")]
    for a, b, c in itertools.product(steps, repeat=3):
        for sources in itertools.product(
            itertools.product("x", repeat=a[1]),
            itertools.product("xa", repeat=b[1]),
            itertools.product("xab", repeat=c[1]),
        ):
            read = {source for group in sources for source in group}
            last = [name for name in ("a", "b", "c") if name not in read]
            named = zip("abc", sources, (a[0], b[0], c[0]), strict=True)
            nodes = {name: {"from": list(group), "ops": [op]} for name, group, op in named}
            nodes["y"] = {"from": last, "ops": ["concat"]} if len(last) > 1 else {"from": last, "ops": ["sigmoid"]}
            if not _simplifies(nodes):
                yield nodes


def _simplifies(nodes: Nodes) -> bool:
    pure = [(n["ops"][0], tuple(sorted(n["from"]))) for n in nodes.values() if n["ops"][0] != "conv1x1"]
    ordered = [(n["ops"][0], tuple(n["from"])) for n in nodes.values() if n["ops"][0] == "subtract"]
    free = [key for key in pure if key[0] != "subtract"]
    twice = len(set(free)) < len(free) or len(set(ordered)) < len(ordered)
    sums = {name for name, node in nodes.items() if node["ops"] == ["add"]}
    return twice or any(node["ops"] == ["add"] and sums & set(node["from"]) for node in nodes.values())


def test_every_small_graph_against_the_oracle() -> None:
    """The partition by digest is the partition by VF2 on the graphs as written, of which none simplifies."""
    written = random.Random(0).sample(list(enumerated()), 700)
    by_labels: dict[tuple[str, ...], list[tuple[nx.DiGraph, str]]] = defaultdict(list)
    for nodes in written:
        bound = of(nodes)
        graph, found = as_written(bound), digest(bound)
        classes = by_labels[tuple(sorted(label for _, label in graph.nodes(data="label")))]
        twin = next((other for other, _ in classes if isomorphic(other, graph)), None)
        if twin is None:
            assert all(found != other for _, other in classes), nodes
            classes.append((graph, found))
        else:
            assert (twin, found) in classes, nodes
    heads = [found for classes in by_labels.values() for _, found in classes]
    assert len(set(heads)) == len(heads)
    assert 100 < len(heads) < len(written)


def test_many_like_branches_are_labelled_within_the_bound() -> None:
    """Twelve branches of one kind: 12! ways to order them, of which a bounded number is tried; twins stay twins."""
    names = [f"b{i}" for i in range(12)]
    nodes: Nodes = {name: {"from": ["x"], "ops": ["conv3x3", "bn"]} for name in names}
    nodes |= {"c": {"from": ["b3"], "ops": ["tanh"]}, "y": {"from": [*names, "c"], "ops": ["add"]}}
    rng = random.Random(0)
    assert len({digest(of(swapped(nodes, rng))) for _ in range(4)}) == 1
    other = nodes | {"c": {"from": ["b3"], "ops": ["silu"]}}
    assert digest(of(other)) != digest(of(nodes))


def ringed(pairs: list[tuple[int, int]]) -> Nodes:
    """A convolution for each corner, a product for each edge, their sum."""
    nodes: Nodes = {f"v{i}": {"from": ["x"], "ops": ["conv3x3"]} for i in range(1 + max(map(max, pairs)))}
    nodes |= {f"e{i}": {"from": [f"v{a}", f"v{b}"], "ops": ["multiply"]} for i, (a, b) in enumerate(pairs)}
    return {**nodes, "y": {"from": [f"e{i}" for i in range(len(pairs))], "ops": ["add"]}}


def ring(pairs: list[tuple[int, int]]) -> BoundNetwork:
    return of(ringed(pairs))


def test_every_tied_value_is_tried_first() -> None:
    """A ring of three beside one of six: colours see nine equal corners, and which comes first decides the certificate."""
    pairs = [(0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 6), (6, 7), (7, 8), (8, 3)]
    rng = random.Random(0)
    assert len({digest(of(swapped(ringed(pairs), rng))) for _ in range(6)}) == 1


def test_ties_that_colours_cannot_break() -> None:
    """Two rings of three and one of six look alike to colour refinement; only individualising tells them apart."""

    triangles = [(0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 3)]
    hexagon = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 0)]
    turned = [(0, 4), (4, 2), (2, 0), (3, 1), (1, 5), (5, 3)]
    assert digest(ring(triangles)) != digest(ring(hexagon))
    assert digest(ring(triangles)) == digest(ring(turned))
    rows = tuple((v.label, v.inputs, v.commutative) for v in simplify(ring(hexagon)).values)
    other = tuple((v.label, v.inputs, v.commutative) for v in simplify(ring(triangles)).values)
    colours = [sorted(_Search(r).refine([label for label, _, _ in r])) for r in (rows, other)]
    assert colours[0] == colours[1]
