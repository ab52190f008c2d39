"""Channels reordered: of g groups, the first channel of each, then the second, ...  BCHW -> BCHW

Zhang et al. 2018, arXiv:1707.01083, section 3.1
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from resbench.errors import Reason
from resbench.ops.registry import Code, op


def _channels(arguments: Mapping[str, Any], channels: int) -> list[int]:
    groups = arguments["groups"]
    return [g * (channels // groups) + i for i in range(channels // groups) for g in range(groups)]


@op(
    "channel_shuffle",
    pure=True,
    keeps_zero=True,
    identity_when=lambda a, channels: a["groups"] in (1, channels),
    code=lambda a, channels: Code(
        f"nn.ChannelShuffle({a['groups']})", f"{{0}}.unflatten(1, ({a['groups']}, -1)).transpose(1, 2).flatten(1, 2)"
    ),
    role="moving",
    effect="kept",
    channels=_channels,
    aliases=("channelshuffle", "shuffle_channels"),
)
class ChannelShuffle(nn.Module):
    """A shuffle after which each group of the next grouped convolution sees channels of every group before it.

    groups: how many groups there are; it must divide the channels
    """

    def __init__(self, channels: int, *, groups: int) -> None:
        super().__init__()
        if groups < 1 or channels % groups:
            raise Reason(f"`groups` (={groups}) must divide the channels in (={channels})")
        self.groups = groups

    def forward(self, x: Tensor) -> Tensor:
        return torch.unflatten(x, 1, (self.groups, -1)).transpose(1, 2).flatten(1, 2)
