"""x sigmoid(x), also called swish.  BCHW -> BCHW.  Elfwing et al. 2017, arXiv:1702.03118"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from resbench.ops.registry import Code, op


@op(
    "silu",
    pure=True,
    by_channel=True,
    code=lambda a, channels: Code("nn.SiLU()", "F.silu({0})"),
    role="activation",
    aliases=("swish",),
)
class Silu(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return F.silu(x)
