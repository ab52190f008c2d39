"""First minus second, of equal shapes.  2 x BCHW -> BCHW"""

from __future__ import annotations

from torch import Tensor, nn

from resbench.errors import Reason
from resbench.ops.registry import Code, op


@op(
    "subtract",
    pure=True,
    by_channel=True,
    code=lambda a, channels: Code(call="{0} - {1}"),
    role="merge",
    joins="difference",
    aliases=("sub", "minus"),
)
class Subtract(nn.Module):
    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        if a.shape != b.shape:
            raise Reason("shapes differ")
        return a - b
