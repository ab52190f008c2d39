"""Mean over a window.  BCHW -> BCH'W'"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from resbench.errors import Fact
from resbench.ops.registry import op
from resbench.ops.window import does_nothing, padding_for, pair, spell_out


@op("avg_pool", pure=True, keeps_zero=True, identity_when=does_nothing, spell_out=spell_out)
class AvgPool(nn.Module):
    """`ceil`: a window may hang over the far edge; `count_pad`: padded zeros count in the mean."""

    def __init__(
        self,
        *,
        kernel: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] | None = None,
        ceil: bool = False,
        count_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel, self.stride, self.ceil, self.count_pad = (
            pair("kernel", kernel),
            pair("stride", stride),
            ceil,
            count_pad,
        )
        self.padding = padding_for(self.kernel, (1, 1), padding)
        if any(2 * p > k for p, k in zip(self.padding, self.kernel, strict=True)):
            raise Fact(f"`padding` (={padding}) must be at most half of `kernel` (={kernel})")

    def forward(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(x, self.kernel, self.stride, self.padding, self.ceil, self.count_pad)
