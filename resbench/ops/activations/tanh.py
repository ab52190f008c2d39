"""Hyperbolic tangent.  BCHW -> BCHW"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from resbench.ops.registry import Code, op


@op(
    "tanh",
    pure=True,
    by_channel=True,
    code=lambda a, channels: Code("nn.Tanh()", "torch.tanh({0})"),
    role="activation",
    gates=True,
    at_start=lambda a, value: None if value is None else math.tanh(value),
)
class Tanh(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(x)
