"""Convolution.  BCHW -> B out H' W'.  `conv3x3`, `conv1x7`, `dwconv3x3` are this op with their kernel in the name."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from resbench.errors import Fact
from resbench.ops.parameter import Initial, Parametric, Start, empty, idle_bias_unsaid
from resbench.ops.registry import op
from resbench.ops.window import padding_for, pair, spell_out


@op("conv", spell_out=lambda a: idle_bias_unsaid(spell_out(a)))
class Conv(Parametric):
    """No bias unless asked for; `padding` None keeps the size at stride 1 where the kernel is odd."""

    def __init__(
        self,
        channels: int,
        *,
        kernel: int | tuple[int, int],
        out: int,
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] | None = None,
        dilation: int | tuple[int, int] = 1,
        groups: int = 1,
        bias: bool = False,
        bias_init: float = 0.0,
        init: Initial | None = None,
    ) -> None:
        super().__init__()
        if out < 1:
            raise Fact(f"`out` (={out}) must be at least 1")
        if groups < 1 or channels % groups or out % groups:
            raise Fact(f"`groups` (={groups}) must divide the channels in (={channels}) and `out` (={out})")
        size = pair("kernel", kernel)
        self.stride, self.dilation, self.groups = pair("stride", stride), pair("dilation", dilation), groups
        self.padding = padding_for(size, self.dilation, padding)
        area = size[0] * size[1]
        self.weight = empty(out, channels // groups, *size)
        self.bias = empty(out) if bias else None
        self.starts = {"weight": Start("conv", channels // groups * area, out // groups * area, init)}
        if bias:
            self.starts["bias"] = Start("bias", initial=bias_init)
        self.buffer_starts = {}

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)
