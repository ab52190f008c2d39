"""1 / (1 + exp(-x)).  BCHW -> BCHW"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from resbench.ops.registry import Code, op


@op(
    "sigmoid",
    pure=True,
    by_channel=True,
    code=lambda a, channels: Code("nn.Sigmoid()", "torch.sigmoid({0})"),
    role="gate",
    gates=True,
    at_start=lambda a, value: None if value is None else 1 / (1 + math.exp(-value)),
)
class Sigmoid(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(x)
