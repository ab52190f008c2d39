"""Words of the command line -> a bound network -> what there is to tell of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch.nn import functional as F

from resbench.compiler.architecture import Request, bind_network
from resbench.compiler.canonical import canonical
from resbench.compiler.graph import BoundNetwork, Graph, sizes
from resbench.compiler.materialise import materialise
from resbench.compiler.network import build
from resbench.data.registry import info
from resbench.errors import BadInput, did_you_mean
from resbench.measure.macs import graph_macs, macs
from resbench.measure.params import params
from resbench.ops.schema import table
from resbench.spec.library import Library
from resbench.spec.network import Use
from resbench.spec.node import Node
from resbench.spec.override import word_value


@dataclass(frozen=True, slots=True)
class Part:
    path: str
    ops: str
    shape: str
    params: int
    macs: int


@dataclass(frozen=True, slots=True)
class NetworkReport:
    """`macs` for one image of `input` (CHW)."""

    network: str
    unit: str
    input: str
    classes: int
    params: int
    macs: int
    digest: str
    unpriced: tuple[str, ...]
    notes: tuple[str, ...]
    trace: tuple[Part, ...]

    def as_json(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class UnitReport:
    """`places`: name, shapes, params, MACs of the unit at its first, inner and transition place."""

    unit: str
    network: str
    places: tuple[tuple[str, str, int, int], ...]
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        keys = ("place", "shape", "params", "macs")
        places = [dict(zip(keys, place, strict=True)) for place in self.places]
        return {"unit": self.unit, "network": self.network, "places": places, "notes": list(self.notes)}


def network_report(network: str, words: tuple[str, ...]) -> NetworkReport:
    request, library = _request(network, words)
    bound = bind_network(request, library)
    built = build(bound)
    cost = macs(bound)
    trace = tuple(_part(path, graph, params(built.get_submodule(path))) for path, graph in bound.parts() if graph.ops)
    return NetworkReport(
        bound.name, bound.unit, sizes(bound.input_shape), bound.classes, params(built), cost.count,
        canonical(bound).digest, cost.unpriced, bound.notes, trace,
    )  # fmt: skip


def unit_report(unit: str, words: tuple[str, ...]) -> UnitReport:
    """The unit in a small network: two units a stage, so that first, inner and transition places are there."""
    library = Library(table(), Path(unit).parent if unit.endswith(".yaml") else None)
    name = Path(unit).name if unit.endswith(".yaml") and Path(unit).is_file() else unit
    spec = library.unit(name)
    network = next((word.partition("=")[2] for word in words if word.startswith("network=")), "resnet_cifar")
    given = [word if "=" in word else f"{word}=" for word in words if not word.startswith("network=")]
    small = _small(library, network, name)
    own = tuple(f"unit.{word}" for word in given if word.partition("=")[0] in spec.body.params)
    other = tuple(word for word in given if word.partition("=")[0] not in spec.body.params)
    request, _ = _request(network, (*small, f"unit={name}", *own, *other), library)
    bound = bind_network(request, library)
    notes = (*bound.notes, *_without_gradient(bound))
    return UnitReport(spec.name, bound.name, tuple(_places(bound)), notes)


def _small(library: Library, network: str, unit: str) -> tuple[str, ...]:
    """For the CIFAR net, the smallest depth with two units a stage."""
    if network != "resnet_cifar":
        return ()
    layers = library.unit(unit).boundary.layers.value
    return (f"depth={6 * layers + 2}",) if isinstance(layers, int) else ()


def _request(network: str, words: tuple[str, ...], library: Library | None = None) -> tuple[Request, Library]:
    """`depth=110 unit=UNIT unit.gate_bias=0 data=digits` for a network."""
    library = library or Library(table(), Path(network).parent if network.endswith(".yaml") else None)
    own: dict[str, Node] = {}
    of_unit: dict[str, Node] = {}
    unit: str | None = None
    input_shape, classes = None, None
    spec = library.network(network)
    for word in words:
        key, sign, text = word.partition("=")
        if not sign:
            raise BadInput(f"`{word}`: write name=value; names: unit, unit.PARAM, data, {', '.join(spec.params)}")
        if key == "unit":
            unit = text
        elif key == "data":
            found = info(text)
            input_shape, classes = found.input_shape, found.n_classes
        elif key.startswith("unit."):
            of_unit[key.removeprefix("unit.")] = word_value(text, word)
        elif key in spec.params:
            own[key] = word_value(text, word)
        else:
            options = ["unit", "unit.PARAM", "data", *spec.params]
            raise BadInput(f"`{word}`: no `{key}` here; names: {', '.join(options)}{did_you_mean(key, options)}")
    asked = None
    if unit is not None or of_unit:
        asked = Use(unit or spec.unit.name, of_unit, Node(unit or ""))
    return Request(Use(network, own, Node(network)), asked, input_shape, classes), library


def _part(path: str, graph: Graph, n_params: int) -> Part:
    shape = f"{sizes(graph.input_shape)} -> {sizes(graph.output_shape)}"
    return Part(path, " ".join(op.path.rpartition(".")[2].rstrip("0123456789") for op in graph.ops), shape, n_params,
                graph_macs(graph).count)  # fmt: skip


def _places(bound: BoundNetwork) -> list[tuple[str, str, int, int]]:
    """The first unit, the next with the shape kept, the first after it that changes the shape."""
    built = build(bound)
    units = [(path, graph) for path, graph in bound.parts() if ".units." in path]
    found = {"first": units[0]}
    for path, graph in units[1:]:
        kind = "inner" if graph.input_shape == graph.output_shape else "transition"
        found.setdefault(kind, (path, graph))
    return [
        (kind, (part := _part(path, graph, params(built.get_submodule(path)))).shape, part.params, part.macs)
        for kind, (path, graph) in found.items()
    ]


def _without_gradient(bound: BoundNetwork) -> list[str]:
    """Parameters that random images give no gradient, and ops with parameters that the result does not need."""
    built = build(bound)
    materialise(built, canonical(bound).numbers, 0, "he_normal")
    built.eval()  # so that no branch is left out at random
    images = torch.randn(4, *bound.input_shape, generator=torch.Generator().manual_seed(0))
    F.cross_entropy(built(images), torch.zeros(4, dtype=torch.int64)).backward()  # type: ignore[no-untyped-call]
    return [f"parameter {name} gets no gradient" for name, p in built.named_parameters() if p.grad is None]
