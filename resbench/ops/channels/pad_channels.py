"""Channels of zeros added.  BCHW -> B out H W.  Option A of He et al. 2015, arXiv:1512.03385, section 3.3"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from torch import Tensor, nn
from torch.nn import functional as F

from resbench.errors import Reason
from resbench.ops.registry import Code, op


def _code(arguments: Mapping[str, Any], channels: int) -> Code:
    more = arguments["out"] - channels
    front = more // 2 if arguments["side"] == "both" else 0
    return Code(call=f"F.pad({{0}}, (0, 0, 0, 0, {front}, {more - front}))")


def _channels(arguments: Mapping[str, Any], channels: int) -> tuple[int | None, ...]:
    more = arguments["out"] - channels
    front = more // 2 if arguments["side"] == "both" else 0
    return (*(None,) * front, *range(channels), *(None,) * (more - front))


@op(
    "pad_channels",
    pure=True,
    keeps_zero=True,
    identity_when=lambda a, channels: a["out"] == channels,
    code=_code,
    role="moving",
    effect="kept",
    channels=_channels,
)
class PadChannels(nn.Module):
    """The channels in stay unchanged; there are no parameters.

    out: channels out, at least as many as come in; in a unit, where it is not given, the unit's output channels
    side: end, the zeros stand behind the channels; both, half in front and half behind (an odd one behind)
    """

    def __init__(self, channels: int, *, out: int, side: Literal["end", "both"] = "end") -> None:
        super().__init__()
        if out < channels:
            raise Reason(f"`out` (={out}) must be at least the channels in (={channels})")
        front = (out - channels) // 2 if side == "both" else 0
        self.padding = (0, 0, 0, 0, front, out - channels - front)

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x, self.padding)
