"""A bound network or unit -> its shapes, costs and notes, as `net show` and `unit check` print them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import prod

import torch
from torch.nn import functional as F

from resbench.compiler.graph import BoundNetwork, Graph, sizes
from resbench.compiler.identity.canonical import canonical
from resbench.compiler.identity.unit_positions import places as places
from resbench.compiler.modules.initialize import initialize_weights
from resbench.compiler.modules.network import build
from resbench.language.graph.unit import UnitSpec
from resbench.measure.macs import graph_macs, macs
from resbench.measure.params import bound_params, params
from resbench.measure.registry import measured
from resbench.ops.parameter import Parametric
from resbench.ops.registry import kind

SMALL = 5_000_000  # weights and values of one image: a larger network runs on `meta`, whose first use takes two seconds


@dataclass(frozen=True, slots=True)
class Part:
    path: str
    ops: str
    shape: str
    params: int
    macs: int


@dataclass(frozen=True, slots=True)
class NetworkReport:
    """The costs of a network: `macs` for one image of `input` (CHW); `metrics` includes those of plugins."""

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
    trace: tuple[Part, ...]

    def as_json(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class UnitReport:
    """The costs of a unit: name, shapes, params and MACs at its first, inner and transition `places`."""

    unit: str
    network: str
    places: tuple[tuple[str, str, int, int], ...]
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        keys = ("place", "shape", "params", "macs")
        places = [dict(zip(keys, place, strict=True)) for place in self.places]
        return {"unit": self.unit, "network": self.network, "places": places, "notes": list(self.notes)}


def network_report_of(bound: BoundNetwork) -> NetworkReport:
    """Build a network without weights, and return its report."""
    built = build(bound)
    cost = macs(bound)
    metrics, faults = measured(bound, built)
    trace = tuple(_part(path, graph, params(built.get_submodule(path))) for path, graph in bound.parts() if graph.ops)
    return NetworkReport(
        bound.name, bound.unit, sizes(bound.input_shape), bound.classes, params(built), cost.count, metrics,
        canonical(bound).digest, cost.unpriced, (*bound.notes, *bound.cautions, *faults), trace,
    )  # fmt: skip


def unit_report_of(spec: UnitSpec, bound: BoundNetwork) -> UnitReport:
    """Build a unit, and return its report at each place."""
    notes = (*bound.notes, *bound.cautions, *_without_gradient(bound))
    return UnitReport(spec.name, bound.name, tuple(_costs(bound)), notes)


def _part(path: str, graph: Graph, n_params: int) -> Part:
    shape = f"{sizes(graph.input_shape)} -> {sizes(graph.output_shape)}"
    return Part(path, " ".join(op.path.rpartition(".")[2].rstrip("0123456789") for op in graph.ops), shape, n_params,
                graph_macs(graph).count)  # fmt: skip


def _costs(bound: BoundNetwork) -> list[tuple[str, str, int, int]]:
    built = build(bound)
    return [
        (place, (part := _part(path, graph, params(built.get_submodule(path)))).shape, part.params, part.macs)
        for place, (path, graph) in places(bound).items()
    ]


def _without_gradient(bound: BoundNetwork) -> list[str]:
    """Return notes on parameters without a gradient, and on ops with parameters that the result does not need."""
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
        return [f"it does not run on `meta`, so its gradients are not known: {str(error).splitlines()[0]}"]
    standing = {path for path, _ in built.named_modules()}
    idle = [p for p, op in bound.ops() if p not in standing and issubclass(kind(op.op).module, Parametric)]
    return [
        *(f"{path} has parameters and no effect: it is not built" for path in idle),
        *(f"parameter {name} gets no gradient" for name, p in built.named_parameters() if p.grad is None),
    ]
