"""A unit's name -> it, bound in a small network of the kind that it is made for."""

from __future__ import annotations

from dataclasses import replace

from resbench.api.architecture.request import request_of
from resbench.compiler.binding.network import bind_network
from resbench.compiler.graph import BoundNetwork
from resbench.language.library.library import Library
from resbench.ops.schema import table

NETWORKS = {
    "convnext": "convnext", "dense": "densenet", "fixup": "fixup_resnet_cifar", "inverted_residual": "mobilenet_v2",
    "nasbench201": "nasbench201", "pyramid": "pyramidnet", "regnet_x": "regnet", "regnet_y": "regnet",
    "shufflenet_v2": "shufflenet_v2",
}  # fmt: skip
LARGE = ("convnext", "dense", "inverted_residual", "regnet_x", "regnet_y", "shufflenet_v2")  # their stems shrink
WIDE = {"resnext": ("width=32", "unit.cardinality=4")}


def bound(unit: str, *words: str, network: str | None = None, image: int | None = None) -> BoundNetwork:
    request, library = request_of(network or NETWORKS.get(unit, "resnet_cifar"), (f"unit={unit}", *words))
    return bind_network(request if image is None else replace(request, input_shape=(3, image, image)), library)


def small(unit: str) -> BoundNetwork:
    """Where shapes allow, of four units a stage and 8 channels."""
    if unit in NETWORKS:
        return bound(unit, image=64 if unit in LARGE else None)
    layers = Library(table()).unit(unit).boundary.layers.value
    assert isinstance(layers, int)
    return bound(unit, f"depth={12 * layers + 2}", *WIDE.get(unit, ("width=8",)))
