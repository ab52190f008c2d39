"""Batch normalisation.  BCHW -> BCHW.  Ioffe & Szegedy 2015, arXiv:1502.03167"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from resbench.errors import Reason
from resbench.ops.parameter import Initial, Parametric, Start, empty
from resbench.ops.registry import Code, op


def _code(arguments: Mapping[str, Any], channels: int) -> Code:
    rest = f"({channels}, eps={arguments['eps']}, momentum={arguments['momentum']})"
    return Code(f"nn.BatchNorm2d{rest}", of_vector=f"nn.BatchNorm1d{rest}")


@op(
    "bn",
    by_channel=True,
    code=_code,
    role="norm",
    effect="normalised",
    fresh=True,
    aliases=("batch_norm", "batchnorm", "batchnorm2d", "batch_norm2d", "batch_normalization"),
)
class BatchNorm(Parametric):
    """Mean and variance of each channel over batch and pixels in training, the running ones in evaluation; then a learned
    factor (gamma) and summand (beta, from 0) for each channel.

    eps: added to the variance
    momentum: weight of the new batch in the running statistics, in (0, 1]
    init: how gamma starts; zeros makes a branch that ends here begin as nothing
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int, *, eps: float = 1e-5, momentum: float = 0.1, init: Initial = 1.0) -> None:
        super().__init__()
        if eps <= 0 or not 0 < momentum <= 1:
            raise Reason(f"`eps` (={eps:g}) must be above 0 and `momentum` (={momentum:g}) within (0, 1]")
        self.eps, self.momentum = eps, momentum
        self.weight, self.bias = empty(channels), empty(channels)
        self.register_buffer("running_mean", torch.empty(channels))
        self.register_buffer("running_var", torch.empty(channels))
        # The keys are those of nn.BatchNorm2d. The count is never updated: only `momentum: None` reads it, and it
        # costs 2 % of a small network's time.
        self.register_buffer("num_batches_tracked", torch.empty((), dtype=torch.int64))
        self.starts = {"weight": Start("norm", initial=init), "bias": Start("norm", initial=0.0)}
        self.buffer_starts = {"running_mean": 0.0, "running_var": 1.0, "num_batches_tracked": 0.0}

    def forward(self, x: Tensor) -> Tensor:
        return F.batch_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias, self.training, self.momentum, self.eps
        )
