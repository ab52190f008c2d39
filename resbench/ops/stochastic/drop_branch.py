"""A whole branch is dropped at random.  BCHW -> BCHW.  Stochastic depth, Huang et al. 2016, arXiv:1603.09382

With survival p = 1 - rate, `scale: eval` is the paper's: F or nothing in training, p F in evaluation. `scale: train` divides by p
in training instead, as torchvision and timm do.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.func import functional_call

from resbench.errors import Reason
from resbench.ops.parameter import Random
from resbench.ops.registry import op


@op(
    "drop_branch",
    identity_when=lambda a, channels: a["rate"] == 0,
    role="random",
    effect="dropped",
    factor=lambda a: 1.0 if a["scale"] == "train" else 1.0 - float(a["rate"]),
    aliases=("drop_path", "droppath", "stochastic_depth"),
)
class DropBranch(Random):
    """Its input, or the result of `ops`, is zeroed as a whole.

    rate: the probability of being dropped, in [0, 1)
    per: batch, one draw for all images of a batch; image, one for each
    scale: train, the branch that stays is divided by 1 - rate; eval, it is multiplied by 1 - rate in evaluation
    ops: the branch itself, which is then not computed at all where it is dropped (one draw a batch only)
    """

    def __init__(
        self,
        *,
        rate: float,
        per: Literal["batch", "image"] = "batch",
        scale: Literal["train", "eval"] = "train",
        ops: nn.Module | None = None,
    ) -> None:
        super().__init__()
        if not 0 <= rate < 1:
            raise Reason(f"`rate` (={rate:g}) must be within [0, 1): at 1 nothing is left")
        if ops is not None and per == "image":
            raise Reason("`ops` goes with `per: batch`: of a batch, all images take the branch or none does")
        self.rate, self.per, self.scale, self.ops = rate, per, scale, ops
        self.on_host = per == "batch"

    def forward(self, x: Tensor) -> Tensor:
        survival = 1 - self.rate
        if not self.training:
            branch = x if self.ops is None else self.ops(x)
            return branch * survival if self.scale == "eval" else branch
        factor = 1.0 if self.scale == "eval" else 1 / survival
        if self.per == "image":
            drawn = torch.rand(self.room(x, [1] * (x.dim() - 1)).shape, generator=self.generator, device=x.device)
            return x * ((self.own(drawn) < survival).to(x.dtype) * factor)
        if float(torch.rand((), generator=self.generator, device="cpu")) < survival:
            return (x if self.ops is None else self.ops(x)) * factor
        return torch.zeros_like(x) if self.ops is None else self.nothing(x, self.ops)

    def nothing(self, x: Tensor, ops: nn.Module) -> Tensor:
        """Return zeros of the shape of `ops`' result, found on `meta`: running it would change the statistics of its norms."""
        state = {name: tensor.to("meta") for name, tensor in ops.state_dict().items()}
        ops.eval()
        with torch.no_grad():
            shape: torch.Size = functional_call(ops, state, (x.to("meta"),)).shape
        ops.train()
        return x.new_zeros(shape)
