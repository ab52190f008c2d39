"""x relu6(x + 3) / 6.  BCHW -> BCHW.  Howard et al. 2019, arXiv:1905.02244"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from resbench.ops.registry import Code, op


@op(
    "hardswish",
    pure=True,
    by_channel=True,
    code=lambda a, channels: Code("nn.Hardswish()", "F.hardswish({0})"),
    role="activation",
    gates=True,
    aliases=("hard_swish", "hswish"),
)
class Hardswish(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return F.hardswish(x)
