"""Layer normalisation over the channels of each pixel.  BCHW -> BCHW, or BC -> BC.  Ba et al. 2016, arXiv:1607.06450

It normalises over the channels alone, as in ConvNeXt (arXiv:2201.03545); over the whole image use `group_norm:
{groups: 1}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from resbench.errors import Reason
from resbench.ops.parameter import Initial, Parametric, Start, empty
from resbench.ops.registry import op


@op(
    "layer_norm",
    stacked=lambda *given: StackedLayerNorm(*given),
    role="norm",
    effect="normalised",
    aliases=("layernorm", "layernorm2d", "layer_norm2d"),
)
class LayerNorm(Parametric):
    """Mean and variance over the channels of one pixel of one image, in training and evaluation alike.

    eps: added to the variance
    init: how gamma starts
    """

    def __init__(self, channels: int, *, eps: float = 1e-6, init: Initial = 1.0) -> None:
        super().__init__()
        if eps <= 0:
            raise Reason(f"`eps` (={eps:g}) must be above 0")
        self.eps = eps
        self.weight, self.bias = empty(channels), empty(channels)
        self.starts = {"weight": Start("norm", initial=init), "bias": Start("norm", initial=0.0)}
        self.buffer_starts = {}

    def forward(self, x: Tensor) -> Tensor:
        last = F.layer_norm(x.movedim(1, -1), self.weight.shape, self.weight, self.bias, self.eps)
        return last.movedim(-1, 1)


class StackedLayerNorm(LayerNorm):
    """K layer norms side by side.  B (K C) H W -> B (K C) H W"""

    def __init__(self, arguments: Mapping[str, Any], channels: int, seeds: int) -> None:
        super().__init__(seeds * channels, **arguments)
        self.seeds = seeds

    def forward(self, x: Tensor) -> Tensor:
        last = torch.unflatten(x, 1, (self.seeds, -1)).movedim(2, -1)
        normal = F.layer_norm(last, last.shape[-1:], eps=self.eps).movedim(-1, 2).flatten(1, 2)
        shape = (-1, *[1] * (x.dim() - 2))
        return normal * self.weight.view(shape) + self.bias.view(shape)
