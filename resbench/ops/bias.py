"""Addition of learned numbers.  BCHW -> BCHW, or BC -> BC.  Zhang et al. 2019, arXiv:1901.09321

Fixup has one number before each convolution and activation.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from resbench.ops.parameter import Initial, Parametric, Start, empty
from resbench.ops.registry import op


@op("bias")
class Bias(Parametric):
    """One learned summand for each channel, or one for all.

    init: how it starts
    per: channel, one number each; all, one number
    """

    def __init__(self, channels: int, *, init: Initial = 0.0, per: Literal["channel", "all"] = "channel") -> None:
        super().__init__()
        self.weight = empty(channels if per == "channel" else 1)
        self.starts = {"weight": Start("bias", initial=init)}
        self.buffer_starts = {}

    def forward(self, x: Tensor) -> Tensor:
        return x + self.weight.view(-1, *[1] * (x.dim() - 2))
