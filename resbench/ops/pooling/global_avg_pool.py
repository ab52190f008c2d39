"""Mean over each channel's map.  BCHW -> BC11"""

from __future__ import annotations

from torch import Tensor, nn

from resbench.ops.registry import Code, op


@op(
    "global_avg_pool",
    pure=True,
    by_channel=True,
    keeps_zero=True,
    idempotent=True,
    code=lambda a, channels: Code("nn.AdaptiveAvgPool2d(1)", "{0}.mean((2, 3), keepdim=True)"),
    role="moving",
    effect="pooled",
    global_pool=True,
    aliases=("gap", "global_average_pool", "globalavgpool"),
    near=("adaptive_avg_pool", "adaptive_avg_pool2d", "adaptiveavgpool2d"),
)
class GlobalAvgPool(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean((2, 3), keepdim=True)
