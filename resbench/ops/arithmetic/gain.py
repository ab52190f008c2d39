"""Multiplication by learned numbers.  BCHW -> BCHW, or BC -> BC.  Touvron et al. 2021, arXiv:2103.17239

ReZero (arXiv:2003.04887) has one number that starts at 0, LayerScale one a channel from 1e-5.
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
        return Gain(seeds * channels, **arguments)
    return StackedGain(seeds, init=arguments["init"])


def _factor(arguments: Mapping[str, Any]) -> float:
    """Return the initial factor, or 1 where it is drawn at random."""
    start = {"zeros": 0.0, "ones": 1.0}.get(arguments["init"], arguments["init"])
    return float(start) if isinstance(start, int | float) else 1.0


@op(
    "gain",
    stacked=_stacked,
    role="gate",
    effect="learned",
    factor=_factor,
    aliases=("layer_scale", "layerscale", "skip_init", "skipinit"),
    near=("rezero", "re_zero"),
)
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


class StackedGain(Gain):
    """K gains side by side, with one number each.  B (K C) H W -> B (K C) H W"""

    def forward(self, x: Tensor) -> Tensor:
        each = torch.unflatten(x, 1, (len(self.weight), -1))
        return torch.unflatten(super().forward(each.flatten(2)), 2, each.shape[2:]).flatten(1, 2)
