"""Gradients of K networks side by side -> gradients whose norm, per network, is at most a limit.  Pascanu et al. 2013,
arXiv:1211.5063
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from resbench.compiler.modules.stack import Stack


class Clip:
    """Clips the gradient of each network by its own norm, as when it is trained alone."""

    def __init__(self, stacked: Stack, limit: float) -> None:
        self.limit, self.count = limit, stacked.seeds
        own = stacked.own_parameters()
        self.shared: list[nn.Parameter] = [p for p in stacked.network.parameters() if id(p) not in own]
        self.own = [(p, own[id(p)]) for p in stacked.network.parameters() if id(p) in own]

    @torch.no_grad()
    def apply(self) -> None:
        views = [(self._each(p.grad), slice(None)) for p in self.shared if p.grad is not None]
        views += [(p.grad[None], slice(k, k + 1)) for p, k in self.own if p.grad is not None]
        squares = views[0][0].new_zeros(self.count)
        for view, networks in views:
            squares[networks] += view.flatten(1).square().sum(1)
        factor = (self.limit / (squares.sqrt() + 1e-6)).clamp(max=1.0)
        for view, networks in views:
            view.mul_(factor[networks].view(-1, *[1] * (view.dim() - 1)))

    def _each(self, gradient: Tensor) -> Tensor:
        return torch.unflatten(gradient, 0, (self.count, -1))
