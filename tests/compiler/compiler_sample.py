"""Specs written in Python -> bound networks: what the tests of the compiler are made of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from resbench.compiler.binding.bind import bind_body
from resbench.compiler.binding.network import Request, bind_network
from resbench.compiler.binding.scope import Scope
from resbench.compiler.graph import BoundNetwork, BoundStage, Graph, Shape
from resbench.compiler.identity.canonical import canonical
from resbench.compiler.modules.initialize import initialize_weights
from resbench.compiler.modules.network import Network, build, random_ops
from resbench.language.graph.network import Use
from resbench.language.graph.unit import UnitSpec, parse_unit
from resbench.language.library.library import Library
from resbench.language.yaml.node import Node, from_plain
from resbench.language.yaml.problems import Problems
from resbench.ops.schema import table

torch.set_num_threads(1)  # small tensors: one thread is faster than several that wait for each other
LIBRARY = Library(table())
SHAPE = (4, 8, 8)
Plain = Any


def use(name: str, arguments: Mapping[str, Plain] | None = None) -> Use:
    return Use(name, {key: from_plain(value) for key, value in (arguments or {}).items()}, Node(name))


def bind(
    network: str, unit: str | None = None, *, of_unit: Mapping[str, Plain] | None = None, library: Library = LIBRARY,
    **params: Plain,
) -> BoundNetwork:  # fmt: skip
    """`bind("resnet_cifar", "plain", depth=20)`."""
    asked = None if unit is None else use(unit, of_unit)
    return bind_network(Request(use(network, params), asked), library)


def small(unit: str) -> BoundNetwork:
    """A shipped unit in the smallest network that holds it."""
    if unit == "dense":
        return bind("densenet", unit, depth=26, growth=8)
    layers = LIBRARY.unit(unit).boundary.layers.value
    assert isinstance(layers, int)
    return bind("resnet_cifar", unit, depth=6 * layers + 2, width=_WIDTHS.get(unit, 4))


_WIDTHS = {"resnext": 16, "regnet_x": 8, "regnet_y": 8}  # what their groups divide


def folder(path: Path, **files: str) -> Library:
    """A study's own folder with a file for each keyword."""
    for name, text in files.items():
        (path / f"{name}.yaml").write_text(text, encoding="utf-8")
    return Library(table(), path)


def unit_spec(nodes: Plain, **more: Plain) -> UnitSpec:
    """`nodes`, `params`, `when` as a YAML file would hold them. Raises SpecError."""
    check = Problems()
    spec = parse_unit(from_plain({"unit": "sample", **more, "nodes": nodes}), LIBRARY, check)
    check.done()
    return spec


def unit_graph(nodes: Plain, *, shape: Shape = SHAPE, known: Mapping[str, Plain] | None = None, **more: Plain) -> Graph:
    """The unit at an inner place, or where `known` says."""
    place = {"in": shape[0], "out": shape[0], "stride": 1, "transition": False, "first": False, **(known or {})}
    body = unit_spec(nodes, **more).body
    return bind_body(body, shape, Scope(body.params, {}, place), LIBRARY)


def net(*graphs: Graph) -> BoundNetwork:
    """The graphs one after the other; no stem, no head."""
    first, last = Graph(graphs[0].input_shape, (), 0), Graph(graphs[-1].output_shape, (), 0)
    return BoundNetwork("sample", "sample", first, (BoundStage(first, graphs),), last, 10)


def of(nodes: Plain, **more: Plain) -> BoundNetwork:
    """A network that is one unit."""
    return net(unit_graph(nodes, **more))


def chain(*ops: Plain, **more: Plain) -> BoundNetwork:
    return of({"y": {"from": "x", "ops": list(ops)}}, **more)


def ops(graph: Graph) -> list[str]:
    return [op.path for op in graph.ops]


def scales(graph: Graph) -> list[float]:
    """The constants of the `scale` ops: how a unit tells what it was told."""
    return [dict(op.arguments)["by"] for op in graph.ops if op.op == "scale"]


def digest(network: BoundNetwork) -> str:
    return canonical(network).digest


def weighted(bound: BoundNetwork, seed: int = 0, init: str = "he_normal") -> Network:
    network = build(bound)
    numbers = canonical(bound).numbers
    initialize_weights(network, numbers, seed, init)
    for path, op in random_ops(network).items():
        op.generator = torch.Generator().manual_seed(numbers[path])
    return network


def images(count: int, shape: Shape, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.randn(count, *shape, generator=torch.Generator().manual_seed(0)).to(dtype)
