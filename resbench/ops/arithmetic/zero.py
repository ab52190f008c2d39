"""Nothing: a tensor of zeros.  BCHW -> BCHW"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from resbench.ops.registry import Code, op


@op(
    "zero",
    pure=True,
    by_channel=True,
    idempotent=True,
    code=lambda a, channels: Code(call="torch.zeros_like({0})"),
    role="gate",
    yields_zero=True,
    aliases=("zeros", "zeroize"),
)
class Zero(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.zeros_like(x)
