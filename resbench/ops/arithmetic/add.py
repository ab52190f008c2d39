"""Sum of equal shapes; nothing is stretched.  n x BCHW -> BCHW"""

from __future__ import annotations

from functools import reduce

import torch
from torch import Tensor, nn

from resbench.errors import Reason
from resbench.ops.registry import Code, op


@op(
    "add",
    pure=True,
    by_channel=True,
    commutative=True,
    code=lambda a, channels: Code(call="{0} + {1}"),
    role="merge",
    joins="sum",
    fresh=True,
    aliases=("sum", "plus"),
)
class Add(nn.Module):
    def forward(self, *xs: Tensor) -> Tensor:
        if any(x.shape != xs[0].shape for x in xs):  # torch's + would broadcast
            raise Reason("shapes differ")
        return reduce(torch.add, xs)
