"""Product; a size of 1 in C, H or W is stretched (a gate per channel, per pixel, or per value).  n x BCHW -> BCHW"""

from __future__ import annotations

from functools import reduce

import torch
from torch import Tensor, nn

from resbench.errors import Reason
from resbench.ops.registry import Code, op


@op(
    "multiply",
    pure=True,
    by_channel=True,
    commutative=True,
    code=lambda a, channels: Code(call="{0} * {1}"),
    role="merge",
    joins="product",
    fresh=True,
    aliases=("mul", "mult", "product"),
)
class Multiply(nn.Module):
    def forward(self, *xs: Tensor) -> Tensor:
        if any(x.dim() != xs[0].dim() for x in xs):
            raise Reason("shapes differ in their number of sizes")
        if any(len(set(sizes) - {1}) > 1 for sizes in zip(*(x.shape[1:] for x in xs), strict=True)):
            raise Reason("shapes differ in more than sizes of 1")
        return reduce(torch.mul, xs)
