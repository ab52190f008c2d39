"""Network -> trainable parameters (a count; no memory is needed, the network may be on `meta`)."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import nn

from resbench.compiler.graph import Arguments, BoundNetwork
from resbench.compiler.normal import normal
from resbench.compiler.unit import make_module


def params(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


def bound_params(network: BoundNetwork) -> int:
    """Of what would be built of it, without building it: op by op, each kind once. A space of hundreds is counted so."""
    return sum(
        _params_of(op.op, op.arguments, graph.shapes[op.inputs[0]][0])
        for _, graph in normal(network).parts()
        for op in graph.ops
    )


@lru_cache(maxsize=65536)
def _params_of(op: str, arguments: Arguments, channels: int) -> int:
    with torch.device("meta"):
        return params(make_module(op, arguments, channels))
