"""Words of the command line -> a bound network -> what there is to tell of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import prod
from pathlib import Path

import torch
from torch.nn import functional as F

from resbench.cli.architecture.request import request_of
from resbench.compiler.binding.network import bind_network
from resbench.compiler.graph import BoundNetwork, Graph, sizes
from resbench.compiler.identity.canonical import canonical
from resbench.compiler.identity.unit_positions import places as places
from resbench.compiler.modules.initialize import initialize_weights
from resbench.compiler.modules.network import build
from resbench.errors import BadInput, did_you_mean
from resbench.language.graph.unit import UnitSpec
from resbench.language.library.library import Library
from resbench.language.library.lookup import exists
from resbench.measure.macs import graph_macs, macs
from resbench.measure.params import bound_params, params
from resbench.measure.registry import measured
from resbench.ops.parameter import Parametric
from resbench.ops.registry import kind
from resbench.ops.schema import table

SMALL = 5_000_000  # weights and values of one image: a larger network runs on `meta`, whose first use takes two seconds


@dataclass(frozen=True, slots=True)
class NetworkPart:
    path: str
    ops: str
    shape: str
    params: int
    macs: int


@dataclass(frozen=True, slots=True)
class NetworkReport:
    """`macs` for one image of `input` (CHW); `metrics` are all there are, plugins' too."""

    network: str
    unit: str
    input: str
    classes: int
    params: int
    macs: int
    metrics: dict[str, float]
    digest: str
    unpriced: tuple[str, ...]
    notes: tuple[str, ...]
    trace: tuple[NetworkPart, ...]

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
    request, library = request_of(network, words)
    bound = bind_network(request, library)
    built = build(bound)
    cost = macs(bound)
    metrics, faults = measured(bound, built)
    trace = tuple(_part(path, graph, params(built.get_submodule(path))) for path, graph in bound.parts() if graph.ops)
    return NetworkReport(
        bound.name, bound.unit, sizes(bound.input_shape), bound.classes, params(built), cost.count, metrics,
        canonical(bound).digest, cost.unpriced, (*bound.notes, *bound.cautions, *faults), trace,
    )  # fmt: skip


def unit_report(unit: str, words: tuple[str, ...]) -> UnitReport:
    spec, bound = bind_unit(unit, words)
    return UnitReport(
        spec.name, bound.name, tuple(_costs(bound)), (*bound.notes, *bound.cautions, *_without_gradient(bound))
    )


def bind_unit(unit: str, words: tuple[str, ...]) -> tuple[UnitSpec, BoundNetwork]:
    """Return the unit in a small network: two units a stage, so that first, inner and transition places are there."""
    library = Library(table(), Path(unit).parent if unit.endswith(".yaml") else None)
    name = Path(unit).name if unit.endswith(".yaml") and exists(Path(unit)) else unit
    spec = library.unit(name)
    network = next((word.partition("=")[2] for word in words if word.startswith("network=")), "resnet_cifar")
    given = [word if "=" in word else f"{word}=" for word in words if not word.startswith("network=")]
    small = _small(library, network, name)
    own = tuple(f"unit.{word}" for word in given if word.partition("=")[0] in spec.body.params)
    other = tuple(word for word in given if word.partition("=")[0] not in spec.body.params)
    for word in other:
        key, names = word.partition("=")[0], [*spec.body.params, "network", "data", *library.network(network).params]
        if key not in names and not key.startswith("unit."):
            raise BadInput(f"`{word}`: no `{key}` here; names: {', '.join(names)}{did_you_mean(key, names)}")
    request, _ = request_of(network, (*small, f"unit={name}", *own, *other), library)
    return spec, bind_network(request, library)


def _small(library: Library, network: str, unit: str) -> tuple[str, ...]:
    """For the CIFAR net, the smallest depth with two units a stage."""
    if network != "resnet_cifar":
        return ()
    layers = library.unit(unit).boundary.layers.value
    return (f"depth={6 * layers + 2}",) if isinstance(layers, int) else ()


def _part(path: str, graph: Graph, n_params: int) -> NetworkPart:
    shape = f"{sizes(graph.input_shape)} -> {sizes(graph.output_shape)}"
    return NetworkPart(path, " ".join(op.path.rpartition(".")[2].rstrip("0123456789") for op in graph.ops), shape, n_params,
                graph_macs(graph).count)  # fmt: skip


def _costs(bound: BoundNetwork) -> list[tuple[str, str, int, int]]:
    built = build(bound)
    return [
        (place, (part := _part(path, graph, params(built.get_submodule(path)))).shape, part.params, part.macs)
        for place, (path, graph) in places(bound).items()
    ]


def _without_gradient(bound: BoundNetwork) -> list[str]:
    """Return parameters that images give no gradient, and ops with parameters that the result does not need."""
    built = build(bound).eval()  # so that no branch is left out at random
    values = bound_params(bound) + sum(prod(shape) for _, graph in bound.parts() for shape in graph.shapes)
    where = "cpu" if values <= SMALL else "meta"
    images = torch.empty(4, *bound.input_shape, device=where)
    if where == "cpu":
        initialize_weights(built, canonical(bound).numbers, 0, "he_normal")
        images.normal_(generator=torch.Generator().manual_seed(0))
    try:
        result = built(images)
        F.cross_entropy(result, torch.zeros(4, dtype=torch.int64, device=where)).backward()  # type: ignore[no-untyped-call]
    except Exception as error:
        if where == "cpu":
            raise
        return [f"it does not run on `meta`, so nothing is known of its gradients: {str(error).splitlines()[0]}"]
    standing = {path for path, _ in built.named_modules()}
    idle = [p for p, op in bound.ops() if p not in standing and issubclass(kind(op.op).module, Parametric)]
    return [
        *(f"{path} has parameters and no effect: it is not built" for path in idle),
        *(f"parameter {name} gets no gradient" for name, p in built.named_parameters() if p.grad is None),
    ]
