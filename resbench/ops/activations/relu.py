"""Rectifier, max(x, 0).  BCHW -> BCHW.  Nair & Hinton 2010"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from resbench.ops.parameter import Overwriting
from resbench.ops.registry import Code, op


@op(
    "relu",
    pure=True,
    by_channel=True,
    keeps_zero=True,
    idempotent=True,
    code=lambda a, channels: Code("nn.ReLU()", "F.relu({0})"),
    role="activation",
    effect="rectified",
    at_start=lambda a, value: None if value is None else max(0.0, value),
    aliases=("rectifier",),
    near=("leaky_relu", "leakyrelu", "prelu"),
)
class Relu(Overwriting):
    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x, inplace=self.overwrites)
