"""Mean over a window.  BCHW -> BCH'W'"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from resbench.errors import Reason
from resbench.ops.convolution.window import does_nothing, padding_for, pair, short, spell_out
from resbench.ops.registry import Code, op


def _code(arguments: Mapping[str, Any], channels: int) -> Code:
    kernel, stride, padding = short(arguments)
    rest = f"ceil_mode={arguments['ceil']}, count_include_pad={arguments['count_pad']}"
    return Code(
        f"nn.AvgPool2d({kernel}, stride={stride}, padding={padding}, {rest})",
        f"F.avg_pool2d({{0}}, {kernel}, stride={stride}, padding={padding}, {rest})",
    )


@op(
    "avg_pool",
    pure=True,
    by_channel=True,
    keeps_zero=True,
    identity_when=does_nothing,
    spell_out=spell_out,
    code=_code,
    role="moving",
    effect="pooled",
    aliases=("avgpool", "avgpool2d", "avg_pool2d", "average_pool"),
)
class AvgPool(nn.Module):
    """The mean of each channel over the window.

    kernel: height and width of the window in pixels, or one number for both
    stride: how far the window moves, in pixels; [height, width] or one number for both
    padding: rows and columns added on each side, at most half of the kernel; where not given, an odd kernel keeps the size at
      stride 1 and an even one is not padded
    ceil: whether a window may hang over the far edge, so that no row or column is dropped
    count_pad: whether padded zeros count in the mean
    """

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
            raise Reason(f"`padding` (={padding}) must be at most half of `kernel` (={kernel})")

    def forward(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(x, self.kernel, self.stride, self.padding, self.ceil, self.count_pad)
