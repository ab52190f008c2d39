"""Units, shipped and nasty ones, as a picture shows them: what the tests of the pictures are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from resbench.api.architecture.words import bind_unit
from resbench.compiler.binding.bind import bind_body
from resbench.compiler.binding.scope import Scope
from resbench.compiler.graph import Graph
from resbench.compiler.identity.unit_positions import places
from resbench.drawing.annotated import AnnotatedView, ShownGraph, show_graph
from resbench.errors import BadInput
from resbench.language.graph.unit import parse_unit
from resbench.language.library.library import Library
from resbench.language.yaml.node import from_plain
from resbench.language.yaml.problems import Problems
from resbench.ops.schema import table

LIBRARY = Library(table())
SHIPPED = LIBRARY.names("unit")
SHAPE = (4, 8, 8)
Nodes = Mapping[str, Any]


def node(sources: str, *ops: Any) -> dict[str, Any]:
    """`node("h f", "add")`"""
    return {"from": sources.split(), "ops": list(ops)}


def graph_of(nodes: Nodes, known: Mapping[str, Any] | None = None) -> Graph:
    """A unit at an inner place, 4 channels of 8 by 8."""
    check = Problems()
    spec = parse_unit(from_plain({"unit": "sample", "nodes": dict(nodes)}), LIBRARY, check)
    check.done()
    place = {"in": 4, "out": 4, "stride": 1, "transition": False, "first": False, **(known or {})}
    return bind_body(spec.body, SHAPE, Scope(spec.body.params, {}, place), LIBRARY)


def view(
    graph: Graph | ShownGraph, *, unit: str = "sample", doc: str = "A sample", place: str = "inner"
) -> AnnotatedView:
    shown = graph if isinstance(graph, ShownGraph) else show_graph(graph)
    return AnnotatedView(unit, place, "none", "stages.0.units.1", doc, shown)


def six_branches() -> Nodes:
    """Six parallel branches of unlike lengths, joined."""
    branches = {f"b{i}": node("x", "conv1x1", *["conv3x3", "relu"] * (i % 3)) for i in range(5)}
    pooled = node("x", {"max_pool": {"kernel": 3}}, "conv1x1")
    joined = node("b0 b1 b2 b3 b4 p", "concat", {"conv1x1": {"out": 4}}, {"scale": {"by": 0.2}})
    return {**branches, "p": pooled, "c": joined, "y": node("x c", "add", "relu")}


def two_streams() -> Nodes:
    """RevNet's: each half is added to what comes of the other."""

    def branch(source: str) -> dict[str, Any]:
        return node(source, "bn", "relu", {"conv3x3": {"out": 2}})

    return {
        "a": node("x", {"slice": {"stop": 2}}), "b": node("x", {"slice": {"start": 2, "stop": 4}}),
        "f": branch("b"), "p": node("a f", "add"), "g": branch("p"), "q": node("b g", "add"), "y": node("p q", "concat"),
    }  # fmt: skip


def cell() -> Nodes:
    """NAS-Bench-201: four nodes, all six edges, skips over skips."""
    edges = {
        "e01": node("x", "relu", "conv3x3", "bn"), "e02": node("x", "relu", "conv1x1", "bn"), "e03": node("x"),
        "e12": node("e01", "relu", "conv3x3", "bn"), "e13": node("e01", {"avg_pool": {"kernel": 3}}),
        "e23": node("n", "relu", "conv1x1", "bn"),
    }  # fmt: skip
    return {**edges, "n": node("e02 e12", "add"), "y": node("e03 e13 e23", "add")}


def crossed() -> Nodes:
    """Two branches that exchange their halves, twice."""
    return {
        "a": node("x", "conv3x3"), "b": node("x", "conv1x1"), "c": node("a b", "add"), "d": node("b a", "multiply"),
        "e": node("c d", "subtract"), "f": node("d c", "add"), "g": node("a e f", "add"), "y": node("x g b", "add"),
    }  # fmt: skip


def shared_gate() -> Nodes:
    """One gate that feeds two products."""
    return {
        "g": node("x", {"conv1x1": {"bias": True}}, "sigmoid"), "h": node("g x", "multiply"),
        "f": node("x", "conv3x3", "bn", "relu", "conv3x3"), "gf": node("g f", "multiply"), "y": node("h gf", "add"),
    }  # fmt: skip


def three_gates() -> Nodes:
    """A gate for each of three branches, and one minus the first for x."""
    gates = {f"g{i}": node("x", "conv1x1", "sigmoid") for i in range(3)}
    branches = {f"f{i}": node("x", "conv3x3", *["bn", "relu"] * i) for i in range(3)}
    products = {f"p{i}": node(f"g{i} f{i}", "multiply") for i in range(3)}
    rest = {"c": node("g0", "one_minus"), "h": node("c x", "multiply")}
    return {**gates, **branches, **products, **rest, "y": node("h p0 p1 p2", "add")}


def excited() -> Nodes:
    """Squeeze and excitation inside of a branch."""
    squeeze = node("f", "global_avg_pool", {"conv1x1": {"out": 2, "bias": True}}, "relu", "conv1x1", "sigmoid")
    f = node("x", "conv3x3", "bn", "relu", "conv3x3", "bn")
    return {"f": f, "s": squeeze, "m": node("f s", "multiply"), "y": node("x m", "add", "relu")}


def dropped() -> Nodes:
    """An op that holds ops, some of which branch."""
    inner = ["conv3x3", "bn", {"drop_branch": {"rate": 0.1, "ops": ["relu", "conv3x3"]}}, "bn"]
    f = node("x", {"drop_branch": {"rate": 0.2, "scale": "eval", "ops": inner}})
    return {"f": f, "y": node("x f", "add", "relu")}


def dense() -> Nodes:
    """Six layers, each of which reads all before it."""
    nodes: dict[str, Any] = {}
    for i in range(6):
        before = " ".join(["x", *(f"l{j}" for j in range(i))])
        nodes[f"l{i}"] = node(before, "concat", "bn", "relu", {"conv3x3": {"out": 2}})
    return {**nodes, "y": node("x l0 l1 l2 l3 l4 l5", "concat")}


def twice() -> Nodes:
    """Values that are read twice by one op, and next to each other."""
    return {
        "f": node("x", "conv3x3"), "d": node("f f", "add"), "z": node("x d x", "multiply"), "y": node("z x f", "add"),
    }  # fmt: skip


def mixed() -> Nodes:
    """A box, no sign, that joins two branches; and names as long as they may be."""
    long = "a" * 60
    return {
        long: node("x", "conv3x3", "bn"), "g": node("x", "conv3x3", {"group_norm": {"groups": 2, "eps": 0.125}}),
        "m": node(f"{long} g", "random_mix"), "y": node("x m", "add"),
    }  # fmt: skip


def nothing() -> Nodes:
    """x itself."""
    return {"y": node("x")}


NASTY: dict[str, Callable[[], Nodes]] = {
    f.__name__: f
    for f in (
        six_branches, two_streams, cell, crossed, shared_gate, three_gates, excited, dropped, dense, twice, mixed, nothing,
    )
}  # fmt: skip


@cache
def nasty(name: str) -> AnnotatedView:
    return view(graph_of(NASTY[name]()), unit=name, doc=(NASTY[name].__doc__ or "").strip())


@cache
def shipped(unit: str) -> tuple[AnnotatedView, ...]:
    """A unit of the library at each of its places, in the first network that takes it."""
    networks = LIBRARY.names("network")
    own = [network for network in networks if LIBRARY.network(network).unit.name == unit]
    for network in dict.fromkeys([*own, "resnet_cifar", "resnet_imagenet", *networks]):
        try:
            spec, bound = bind_unit(unit, (f"network={network}",))
        except BadInput:
            continue
        return tuple(
            AnnotatedView(unit, place, network, path, spec.doc, show_graph(graph))
            for place, (path, graph) in places(bound).items()
        )
    raise AssertionError(f"no network takes {unit}")
