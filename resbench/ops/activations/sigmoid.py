"""1 / (1 + exp(-x)).  BCHW -> BCHW"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from resbench.ops.registry import Code, op


@op("sigmoid", pure=True, by_channel=True, code=lambda a, channels: Code("nn.Sigmoid()", "torch.sigmoid({0})"))
class Sigmoid(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(x)
