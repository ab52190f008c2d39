"""Every stride-th pixel from `offset` on.  BCHW -> BCH'W'.  Option A of He et al. 2015, arXiv:1512.03385, section 3.3"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from resbench.errors import Reason
from resbench.ops.registry import Code, op


def _code(arguments: Mapping[str, Any], channels: int) -> Code:
    step = f"{arguments['offset'] or ''}::{arguments['stride']}"
    return Code(call=f"{{0}}[:, :, {step}, {step}]")


@op(
    "subsample",
    pure=True,
    by_channel=True,
    keeps_zero=True,
    identity_when=lambda a, channels: a["stride"] == 1 and a["offset"] == 0,
    code=_code,
    role="moving",
    effect="kept",
    channels=lambda a, channels: (None,) * channels,
)
class Subsample(nn.Module):
    """stride: one of this many rows and columns is kept
    offset: the first row and column that is kept, from 0, below the stride
    """

    def __init__(self, *, stride: int, offset: int = 0) -> None:
        super().__init__()
        if stride < 1 or not 0 <= offset < stride:
            raise Reason(f"`stride` (={stride}) must be at least 1 and `offset` (={offset}) within [0, stride)")
        self.stride, self.offset = stride, offset

    def forward(self, x: Tensor) -> Tensor:
        if min(x.shape[2:]) <= self.offset:
            raise Reason(f"`offset` (={self.offset}) lies outside a map of {x.shape[2]}x{x.shape[3]}")
        return x[:, :, self.offset :: self.stride, self.offset :: self.stride]
