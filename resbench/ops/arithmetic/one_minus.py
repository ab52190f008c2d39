"""1 - x: the other half of a gate.  BCHW -> BCHW"""

from __future__ import annotations

from torch import Tensor, nn

from resbench.ops.registry import Code, op


@op(
    "one_minus",
    pure=True,
    by_channel=True,
    code=lambda a, channels: Code(call="1 - {0}"),
    role="gate",
    formula="1 - {0}",
    at_start=lambda a, value: None if value is None else 1 - value,
)
class OneMinus(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return 1 - x
