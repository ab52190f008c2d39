"""Hyperbolic tangent.  BCHW -> BCHW"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from resbench.ops.registry import op


@op("tanh", pure=True)
class Tanh(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(x)
