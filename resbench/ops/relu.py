"""Rectifier, max(x, 0).  BCHW -> BCHW.  Nair & Hinton 2010"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from resbench.ops.registry import Code, op


@op("relu", pure=True, keeps_zero=True, idempotent=True, code=lambda a, channels: Code("nn.ReLU()", "F.relu({0})"))
class Relu(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x)
