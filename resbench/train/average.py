"""Weights -> an exponential moving average, which is evaluated in their place.  Polyak & Juditsky 1992

mean <- decay mean + (1 - decay) weights after each step; running statistics are averaged too. The decay is smaller at first,
(1 + steps) / (10 + steps), as in TensorFlow, so that the average of a short run is not dominated by its start.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class WeightAverage:
    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay, self.steps = decay, 0
        self.live: list[Tensor] = [t for t in network.state_dict().values() if t.is_floating_point()]
        self.mean = [tensor.clone() for tensor in self.live]

    @torch.no_grad()
    def update(self) -> None:
        self.steps += 1
        weight = 1 - min(self.decay, (1 + self.steps) / (10 + self.steps))
        torch._foreach_lerp_(self.mean, self.live, weight)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Give the network the mean inside the block, and its own weights afterwards."""
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    @torch.no_grad()
    def _exchange(self) -> None:
        for live, mean in zip(self.live, self.mean, strict=True):
            previous = live.clone()
            live.copy_(mean)
            mean.copy_(previous)
