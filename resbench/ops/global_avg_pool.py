"""Mean over each channel's map.  BCHW -> BC11"""

from __future__ import annotations

from torch import Tensor, nn

from resbench.ops.registry import op


@op("global_avg_pool", pure=True, keeps_zero=True, idempotent=True)
class GlobalAvgPool(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean((2, 3), keepdim=True)
