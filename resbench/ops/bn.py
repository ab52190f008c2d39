"""Batch normalisation.  BCHW -> BCHW.  Ioffe & Szegedy 2015, arXiv:1502.03167"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from resbench.errors import Fact
from resbench.ops.parameter import Initial, Parametric, Start, empty
from resbench.ops.registry import op


@op("bn")
class BatchNorm(Parametric):
    """`momentum` is the weight of the new batch in the running statistics; `init` is gamma's start."""

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int, *, eps: float = 1e-5, momentum: float = 0.1, init: Initial = 1.0) -> None:
        super().__init__()
        if eps <= 0 or not 0 < momentum <= 1:
            raise Fact(f"`eps` (={eps:g}) must be above 0 and `momentum` (={momentum:g}) within (0, 1]")
        self.eps, self.momentum = eps, momentum
        self.weight, self.bias = empty(channels), empty(channels)
        self.register_buffer("running_mean", torch.empty(channels))
        self.register_buffer("running_var", torch.empty(channels))
        self.starts = {"weight": Start("norm", initial=init), "bias": Start("norm", initial=0.0)}
        self.buffer_starts = {"running_mean": 0.0, "running_var": 1.0}

    def forward(self, x: Tensor) -> Tensor:
        return F.batch_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias, self.training, self.momentum, self.eps
        )
