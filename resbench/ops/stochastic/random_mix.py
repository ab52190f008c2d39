"""A random weighted mean of two branches.  2 x BCHW -> BCHW.  Gastaldi 2017, arXiv:1705.07485

Training: a b + (1 - a) c with a uniform in [0, 1), the same in the forward and the backward pass (the paper's "Keep");
evaluation: their mean.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from resbench.errors import Reason
from resbench.ops.parameter import Random
from resbench.ops.registry import op


@op(
    "random_mix",
    role="random",
    effect="dropped",
    factor=lambda a: 0.5,
    near=("shake_shake", "shakeshake"),
)
class RandomMix(Random):
    """per: image, a weight for each image; batch, one for all images of a batch"""

    def __init__(self, *, per: Literal["image", "batch"] = "image") -> None:
        super().__init__()
        self.per = per

    def forward(self, b: Tensor, c: Tensor) -> Tensor:
        if b.shape != c.shape:
            raise Reason("shapes differ")
        if not self.training:
            return (b + c) / 2
        ones = [1] * (b.dim() - 1)
        shape = self.room(b, ones).shape if self.per == "image" else (1, *ones)
        weight = torch.rand(shape, generator=self.generator, dtype=b.dtype, device=b.device)
        weight = self.own(weight) if self.per == "image" else weight
        return weight * b + (1 - weight) * c
