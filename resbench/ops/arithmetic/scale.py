"""Multiplication by a constant.  BCHW -> BCHW"""

from __future__ import annotations

from torch import Tensor, nn

from resbench.ops.registry import Code, op


@op(
    "scale",
    pure=True,
    by_channel=True,
    identity_when=lambda a, channels: a["by"] == 1,
    code=lambda a, channels: Code(call=f"{{0}} * {a['by']}"),
    role="gate",
    effect="scaled",
    factor=lambda a: float(a["by"]),
)
class Scale(nn.Module):
    """by: the constant, of either sign; `gain` is the learned one"""

    def __init__(self, *, by: float) -> None:
        super().__init__()
        self.by = by

    def forward(self, x: Tensor) -> Tensor:
        return x * self.by
