"""Each value is zeroed with probability `rate` in training.  BCHW -> BCHW.  Hinton et al. 2012, arXiv:1207.0580

`inverted` (usual today) divides by 1 - rate in training and does nothing in evaluation; the other way keeps the values
in training and multiplies by 1 - rate in evaluation, as the 2012 paper does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from resbench.errors import Reason
from resbench.ops.parameter import Random
from resbench.ops.registry import Code, op


def _code(arguments: Mapping[str, Any], channels: int) -> Code:
    """Return the op in plain torch, which has only the inverted one."""
    return Code(f"nn.Dropout({arguments['rate']})" if arguments["inverted"] else None)


@op(
    "dropout",
    identity_when=lambda a, channels: a["rate"] == 0,
    code=_code,
    role="random",
    effect="dropped",
    factor=lambda a: 1.0 if a["inverted"] else 1.0 - float(a["rate"]),
)
class Dropout(Random):
    """rate: the probability that a value is zeroed, in [0, 1)
    inverted: true, what stays is divided by 1 - rate in training; false, everything is multiplied by 1 - rate in evaluation
    """

    def __init__(self, *, rate: float, inverted: bool = True) -> None:
        super().__init__()
        if not 0 <= rate < 1:
            raise Reason(f"`rate` (={rate:g}) must be within [0, 1): at 1 nothing is left")
        self.rate, self.inverted = rate, inverted

    def forward(self, x: Tensor) -> Tensor:
        keep = 1 - self.rate
        if not self.training:
            return x if self.inverted else x * keep
        # in one order, whatever the memory layout of x
        mask = self.own(self.room(x, x.shape[1:]).bernoulli_(keep, generator=self.generator))
        return x * mask / keep if self.inverted else x * mask
