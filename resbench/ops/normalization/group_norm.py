"""Group normalisation.  BCHW -> BCHW.  Wu & He 2018, arXiv:1803.08494"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from resbench.errors import Reason
from resbench.ops.parameter import Initial, Parametric, Start, empty
from resbench.ops.registry import Code, op


@op(
    "group_norm",
    stacked=lambda a, channels, seeds: GroupNorm(seeds * channels, **{**a, "groups": seeds * a["groups"]}),
    code=lambda a, channels: Code(f"nn.GroupNorm({a['groups']}, {channels}, eps={a['eps']})"),
    role="norm",
    effect="normalised",
    fresh=True,
    aliases=("groupnorm", "gn"),
)
class GroupNorm(Parametric):
    """Mean and variance over a group's channels and all pixels of one image, in training and evaluation alike.

    groups: how many groups the channels are cut into; it must divide them
    eps: added to the variance
    init: how gamma starts
    """

    def __init__(self, channels: int, *, groups: int, eps: float = 1e-5, init: Initial = 1.0) -> None:
        super().__init__()
        if groups < 1 or channels % groups:
            raise Reason(f"`groups` (={groups}) must divide the channels in (={channels})")
        if eps <= 0:
            raise Reason(f"`eps` (={eps:g}) must be above 0")
        self.groups, self.eps = groups, eps
        self.weight, self.bias = empty(channels), empty(channels)
        self.starts = {"weight": Start("norm", initial=init), "bias": Start("norm", initial=0.0)}
        self.buffer_starts = {}

    def forward(self, x: Tensor) -> Tensor:
        return F.group_norm(x, self.groups, self.weight, self.bias, self.eps)
