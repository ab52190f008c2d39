"""Network -> trainable parameters and bytes of weights (counts; no memory is needed, the network may be on `meta`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor, nn

from resbench.compiler.graph import Arguments, BoundNetwork
from resbench.compiler.identity.normal_form import normal
from resbench.compiler.modules.unit import make_module


@dataclass(frozen=True, slots=True)
class Weights:
    """Sizes of weights. `params`: number of trainable ones. Bytes: of trained and fixed parameters, of float and other
    buffers.
    """

    params: int = 0
    trained: int = 0
    fixed: int = 0
    buffers: int = 0
    counters: int = 0

    def __add__(self, other: Weights) -> Weights:
        return Weights(
            self.params + other.params,
            self.trained + other.trained,
            self.fixed + other.fixed,
            self.buffers + other.buffers,
            self.counters + other.counters,
        )

    @property
    def bytes(self) -> int:
        """The bytes of all parameters and buffers."""
        return self.trained + self.fixed + self.buffers + self.counters


def params(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


def bound_params(network: BoundNetwork) -> int:
    """Return the number of trainable parameters of a network without building it."""
    return bound_weights(network).params


def bound_weights(network: BoundNetwork) -> Weights:
    """Return the weights of a network without building it: op by op, each kind once, so that large spaces are counted fast."""
    found = [
        _weights_of(op.op, op.arguments, graph.shapes[op.inputs[0]][0])
        for _, graph in normal(network).parts()
        for op in graph.ops
    ]
    return sum(found, Weights())


@lru_cache(maxsize=65536)
def _weights_of(op: str, arguments: Arguments, channels: int) -> Weights:
    with torch.device("meta"):
        module = make_module(op, arguments, channels)
    return Weights(
        params(module),
        _bytes(parameter for parameter in module.parameters() if parameter.requires_grad),
        _bytes(parameter for parameter in module.parameters() if not parameter.requires_grad),
        _bytes(buffer for buffer in module.buffers() if buffer.is_floating_point()),
        _bytes(buffer for buffer in module.buffers() if not buffer.is_floating_point()),
    )


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)
