"""min(max(x, 0), 6).  BCHW -> BCHW.  Howard et al. 2017, arXiv:1704.04861"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from resbench.ops.parameter import Overwriting
from resbench.ops.registry import Code, op


@op(
    "relu6",
    pure=True,
    by_channel=True,
    keeps_zero=True,
    idempotent=True,
    code=lambda a, channels: Code("nn.ReLU6()", "F.relu6({0})"),
    role="activation",
)
class Relu6(Overwriting):
    def forward(self, x: Tensor) -> Tensor:
        return F.relu6(x, inplace=self.overwrites)
