"""Addition of learned numbers.  BCHW -> BCHW, or BC -> BC.  Zhang et al. 2019, arXiv:1901.09321

Fixup has one number before each convolution and activation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn

from resbench.ops.parameter import Initial, Parametric, Start, empty
from resbench.ops.registry import op


def _stacked(arguments: Mapping[str, Any], channels: int, seeds: int) -> nn.Module:
    """Return the op itself for one number a channel; for one number for all channels, a module with K numbers."""
    if arguments["per"] == "channel":
        return Bias(seeds * channels, **arguments)
    return StackedBias(seeds, init=arguments["init"])


@op(
    "bias",
    stacked=_stacked,
    role="gate",
    effect="kept",
    shifts=True,
)
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


class StackedBias(Bias):
    """K biases side by side, with one number each.  B (K C) H W -> B (K C) H W"""

    def forward(self, x: Tensor) -> Tensor:
        each = torch.unflatten(x, 1, (len(self.weight), -1))
        return torch.unflatten(super().forward(each.flatten(2)), 2, each.shape[2:]).flatten(1, 2)
