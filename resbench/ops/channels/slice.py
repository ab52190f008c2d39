"""Channels from `start` up to, not including, `stop`.  BCHW -> B (stop - start) H W"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from resbench.errors import Reason
from resbench.ops.registry import Code, op


def _code(arguments: Mapping[str, Any], channels: int) -> Code:
    start, stop = arguments["start"], arguments["stop"]
    return Code(call=f"{{0}}[:, {start or ''}:{'' if stop == channels else stop}]")


@op(
    "slice",
    pure=True,
    identity_when=lambda a, channels: a["start"] == 0 and a["stop"] == channels,
    code=_code,
    role="moving",
    effect="kept",
    channels=lambda a, channels: range(a["start"], a["stop"]),
)
class Slice(nn.Module):
    """start: the first channel that is taken, from 0
    stop: the channel before which it ends; `$channels` for all that are left
    """

    def __init__(self, channels: int, *, start: int = 0, stop: int) -> None:
        super().__init__()
        if not 0 <= start < stop <= channels:
            raise Reason(f"0 <= `start` (={start}) < `stop` (={stop}) <= channels (={channels}) must hold")
        self.start, self.stop = start, stop

    def forward(self, x: Tensor) -> Tensor:
        return x[:, self.start : self.stop]
