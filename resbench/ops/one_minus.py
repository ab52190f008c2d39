"""1 - x: the other half of a gate.  BCHW -> BCHW"""

from __future__ import annotations

from torch import Tensor, nn

from resbench.ops.registry import op


@op("one_minus", pure=True)
class OneMinus(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return 1 - x
