"""Bounds and variance are the paper's, and the generator alone decides."""

import torch
from glorot.uniform import glorot

from resbench.ops.parameter import Start


def drawn(seed: int) -> torch.Tensor:
    weight = torch.empty(64, 32, 3, 3)
    glorot(weight, Start("conv", 32 * 9, 64 * 9), torch.Generator().manual_seed(seed))
    return weight


def test_bounds_and_variance() -> None:
    weight = drawn(0)
    limit = (6 / (32 * 9 + 64 * 9)) ** 0.5
    assert weight.abs().max() <= limit
    assert abs(float(weight.var()) / (2 / (32 * 9 + 64 * 9)) - 1) < 0.02


def test_the_generator_decides() -> None:
    assert torch.equal(drawn(1), drawn(1))
    assert not torch.equal(drawn(1), drawn(2))
