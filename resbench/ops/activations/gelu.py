"""x Phi(x), Phi the normal distribution function.  BCHW -> BCHW.  Hendrycks & Gimpel 2016, arXiv:1606.08415"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from resbench.ops.registry import Code, op


@op(
    "gelu",
    pure=True,
    by_channel=True,
    code=lambda a, channels: Code("nn.GELU()", "F.gelu({0})"),
    role="activation",
)
class Gelu(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return F.gelu(x)
