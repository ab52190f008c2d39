"""Global response normalisation.  BCHW -> BCHW.  Woo et al. 2023, arXiv:2301.00808, Algorithm 1"""

import torch
from torch import Tensor

from resbench.ops.parameter import Parametric, Start, empty
from resbench.ops.registry import op


@op("global_response_norm", role="norm", effect="normalised", aliases=("grn",))
class GlobalResponseNorm(Parametric):
    def __init__(self, channels: int, *, eps: float = 1e-6) -> None:
        super().__init__()
        self.eps, self.gamma, self.beta = eps, empty(channels, 1, 1), empty(channels, 1, 1)
        self.starts = {"gamma": Start("norm", initial=0.0), "beta": Start("norm", initial=0.0)}
        self.buffer_starts = {}

    def forward(self, x: Tensor) -> Tensor:
        g = torch.linalg.vector_norm(x, dim=(2, 3), keepdim=True)
        return self.gamma * (x * (g / (g.mean(1, keepdim=True) + self.eps))) + self.beta + x
