"""Linear layer.  BC or BC11 -> B out"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from resbench.errors import Reason
from resbench.ops.parameter import Initial, Parametric, Start, bias_at_start, empty, idle_bias_unsaid
from resbench.ops.registry import Code, op, sizes


def _code(arguments: Mapping[str, Any], channels: int) -> Code:
    return Code(f"nn.Linear({channels}, {arguments['out']}, bias={arguments['bias']})", flat=True)


@op(
    "linear",
    stacked=lambda *given: StackedLinear(*given),
    spell_out=idle_bias_unsaid,
    code=_code,
    macs=lambda a, shapes: shapes[0][0] * a["out"],
    role="weights",
    effect="projected",
    fresh=True,
    at_start=lambda a, value: bias_at_start(a),
    aliases=("fc", "dense", "fully_connected"),
)
class Linear(Parametric):
    """A weighted sum of all channels for each number out; on a map of more than one pixel use conv1x1.

    out: how many numbers come out; in a unit, where it is not given, the unit's output channels
    bias: whether a learned number is added to each
    bias_init: how the bias starts
    init: how the weights start; where not given, as the recipe says
    """

    def __init__(
        self, channels: int, *, out: int, bias: bool = True, bias_init: float = 0.0, init: Initial | None = None
    ) -> None:
        super().__init__()
        if out < 1:
            raise Reason(f"`out` (={out}) must be at least 1")
        self.weight = empty(out, channels)
        self.bias = empty(out) if bias else None
        self.starts = {"weight": Start("linear", channels, out, init)}
        if bias:
            self.starts["bias"] = Start("bias", initial=bias_init)
        self.buffer_starts = {}

    def forward(self, x: Tensor) -> Tensor:
        if x.dim() == 4 and x.shape[2:] != (1, 1):
            raise Reason(f"one value a channel is needed, got {sizes(x)}; use global_avg_pool before it, or conv1x1")
        return F.linear(x.flatten(1), self.weight, self.bias)


class StackedLinear(Linear):
    """K linear layers side by side.  B (K C) -> B (K out)"""

    def __init__(self, arguments: Mapping[str, Any], channels: int, seeds: int) -> None:
        super().__init__(channels, **{**arguments, "out": seeds * arguments["out"]})
        self.seeds = seeds

    def forward(self, x: Tensor) -> Tensor:
        each = x.reshape(len(x), self.seeds, -1).transpose(0, 1)
        weight = torch.unflatten(self.weight, 0, (self.seeds, -1)).transpose(1, 2)
        bias = self.weight.new_zeros(1) if self.bias is None else self.bias.view(self.seeds, 1, -1)
        return torch.baddbmm(bias, each, weight).transpose(0, 1).flatten(1)
