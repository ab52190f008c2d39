"""Channels of all inputs, in the order given.  n x BCHW -> B (sum of C) H W"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from resbench.errors import Reason
from resbench.ops.registry import Code, op


@op(
    "concat",
    pure=True,
    code=lambda a, channels: Code(call="torch.cat(({all}), 1)"),
    role="merge",
    joins="channels",
    aliases=("cat", "concatenate"),
)
class Concat(nn.Module):
    def forward(self, *xs: Tensor) -> Tensor:
        if any(x.shape[2:] != xs[0].shape[2:] for x in xs):
            raise Reason("maps differ in height or width")
        return torch.cat(xs, 1)
