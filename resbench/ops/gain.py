"""Multiplication by learned numbers.  BCHW -> BCHW, or BC -> BC.  Touvron et al. 2021, arXiv:2103.17239

ReZero (arXiv:2003.04887) has one number that starts at 0, LayerScale one a channel from 1e-5.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from resbench.ops.parameter import Initial, Parametric, Start, empty
from resbench.ops.registry import op


@op("gain")
class Gain(Parametric):
    """One learned factor for each channel, or one for all.

    init: how it starts
    per: channel, one number each; all, one number
    """

    def __init__(self, channels: int, *, init: Initial = 1.0, per: Literal["channel", "all"] = "channel") -> None:
        super().__init__()
        self.weight = empty(channels if per == "channel" else 1)
        self.starts = {"weight": Start("gain", initial=init)}
        self.buffer_starts = {}

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight.view(-1, *[1] * (x.dim() - 2))
