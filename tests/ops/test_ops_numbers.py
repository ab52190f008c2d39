"""Ops with state, randomness or windows, held against torch and against their formulas."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from resbench.errors import Reason
from resbench.ops.arithmetic.multiply import Multiply
from resbench.ops.channels.pad_channels import PadChannels
from resbench.ops.convolution.conv import Conv
from resbench.ops.convolution.linear import Linear
from resbench.ops.convolution.window import padding_for
from resbench.ops.initialisers import initialiser, initialisers
from resbench.ops.normalization.bn import BatchNorm
from resbench.ops.parameter import Start
from resbench.ops.pooling.avg_pool import AvgPool
from resbench.ops.pooling.subsample import Subsample
from resbench.ops.stochastic.dropout import Dropout

X = torch.randn(4, 6, 9, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("inverted", [True, False])
@pytest.mark.parametrize("rate", [0.25, 0.5])
def test_dropout_keeps_its_expectation(rate: float, inverted: bool) -> None:
    """Inverted: the mean is x in training and in evaluation. Else it is (1 - rate) x in both."""
    module = Dropout(rate=rate, inverted=inverted)
    module.generator = torch.Generator().manual_seed(1)
    ones = torch.ones(100, 100, dtype=torch.float64)
    kept = 1.0 if not inverted else 1 / (1 - rate)
    drawn = torch.stack([module(ones) for _ in range(20)])
    assert set(drawn.unique().tolist()) == {0.0, kept}
    wanted = 1.0 if inverted else 1 - rate
    error = kept * math.sqrt(rate * (1 - rate) / drawn.numel())
    assert abs(drawn.mean().item() - wanted) < 5 * error
    assert torch.equal(module.eval()(ones), wanted * ones)


def test_dropout_masks_come_from_its_generator_alone() -> None:
    module = Dropout(rate=0.5)
    torch.manual_seed(0)
    module.generator = torch.Generator().manual_seed(7)
    first, second = module(X), module(X)
    torch.manual_seed(1)
    module.generator = torch.Generator().manual_seed(7)
    assert torch.equal(module(X), first)
    assert not torch.equal(first, second)
    with pytest.raises(Reason, match=r"`rate` \(=1\) must be within \[0, 1\)"):
        Dropout(rate=1.0)


@pytest.mark.parametrize("momentum", [0.1, 0.9])
def test_bn_is_torchs(momentum: float) -> None:
    ours = BatchNorm(6, eps=1e-3, momentum=momentum).double()
    theirs = nn.BatchNorm2d(6, eps=1e-3, momentum=momentum).double()
    with torch.no_grad():
        theirs.weight.copy_(torch.linspace(-1, 1, 6))
        theirs.bias.copy_(torch.linspace(2, -2, 6))
    ours.load_state_dict(theirs.state_dict())
    for step in range(3):
        batch = X * (step + 1) + step
        assert torch.equal(ours(batch), theirs(batch))
    assert torch.equal(ours.running_mean, theirs.running_mean)
    assert torch.equal(ours.running_var, theirs.running_var)
    assert not torch.equal(ours.running_mean, torch.zeros(6, dtype=torch.float64))
    assert torch.equal(ours.eval()(X), theirs.eval()(X))


@pytest.mark.parametrize(
    "options",
    [
        {"kernel": 3, "out": 8},
        {"kernel": (3, 1), "out": 8, "stride": 2, "bias": True},
        {"kernel": 3, "out": 6, "groups": 6, "dilation": 2},
        {"kernel": 2, "out": 4, "padding": (1, 0), "groups": 2},
    ],
)
def test_conv_is_torchs(options: dict[str, object]) -> None:
    ours = Conv(6, **options).double()
    given = {"bias": False, **options}
    theirs = nn.Conv2d(6, given.pop("out"), given.pop("kernel"), **{"padding": ours.padding, **given}).double()
    ours.load_state_dict(theirs.state_dict())
    assert torch.equal(ours(X), theirs(X))


def test_linear_is_torchs() -> None:
    ours, theirs = Linear(6, out=3).double(), nn.Linear(6, 3).double()
    ours.load_state_dict(theirs.state_dict())
    assert torch.equal(ours(X.mean((2, 3))), theirs(X.mean((2, 3))))
    assert torch.equal(ours(X.mean((2, 3), keepdim=True)), theirs(X.mean((2, 3))))
    with pytest.raises(Reason, match="one value a channel is needed, got 6x9x7; use global_avg_pool"):
        ours(X)


@pytest.mark.parametrize("name", ["he_normal", "he_normal_fan_out"])
def test_he_normal_has_its_sd(name: str) -> None:
    conv = Conv(48, kernel=3, out=96, groups=2)
    start = conv.starts["weight"]
    assert (start.fan_in, start.fan_out) == (24 * 9, 48 * 9)
    weight = torch.empty(1000, 500)
    initialisers()[name](weight, start, torch.Generator().manual_seed(0))
    wanted = math.sqrt(2 / (start.fan_in if name == "he_normal" else start.fan_out))
    assert weight.mean().abs().item() < 5 * wanted / math.sqrt(weight.numel())
    assert weight.std().item() == pytest.approx(wanted, rel=5 / math.sqrt(2 * weight.numel()))
    assert Linear(64, out=10).starts["weight"] == Start("linear", 64, 10)


def test_an_initialiser_is_registered_once() -> None:
    with pytest.raises(ValueError, match="initialiser `he_normal` is registered twice"):
        initialiser("he_normal")(lambda weight, start, generator: None)


@pytest.mark.parametrize("kernel", [1, 2, 3, 4, 5, 7])
@pytest.mark.parametrize("dilation", [1, 2, 3])
def test_an_odd_window_keeps_the_size_and_an_even_one_is_not_padded(kernel: int, dilation: int) -> None:
    conv = Conv(6, kernel=kernel, out=2, dilation=dilation).double()
    x = torch.zeros(1, 6, 20, 22, dtype=torch.float64)
    lost = 0 if kernel % 2 else dilation * (kernel - 1)
    assert conv(x).shape == (1, 2, 20 - lost, 22 - lost)
    assert padding_for((kernel, 3), (dilation, 1), 4) == (4, 4)
    assert padding_for((kernel, 3), (dilation, 1), (0, 2)) == (0, 2)


def test_hanging_windows_and_padded_zeros() -> None:
    ones = torch.ones(1, 1, 5, 5)
    assert AvgPool(kernel=2, stride=2)(ones).shape[2:] == (2, 2)
    assert AvgPool(kernel=2, stride=2, ceil=True, count_pad=False)(ones).unique().tolist() == [1.0]
    assert AvgPool(kernel=3)(ones)[0, 0, 0, 0].item() == pytest.approx(4 / 9)
    assert AvgPool(kernel=3, count_pad=False)(ones)[0, 0, 0, 0].item() == 1.0


def test_option_a() -> None:
    """Every second pixel, zeros for the channels that are not there."""
    halved = Subsample(stride=2)(X)
    assert torch.equal(halved, X[:, :, ::2, ::2])
    assert torch.equal(Subsample(stride=2, offset=1)(X), X[:, :, 1::2, 1::2])
    both, end = PadChannels(6, out=9, side="both")(halved), PadChannels(6, out=9)(halved)
    assert torch.equal(both[:, 1:7], halved)
    assert not both[:, [0, 7, 8]].count_nonzero()
    assert torch.equal(end[:, :6], halved)
    assert not end[:, 6:].count_nonzero()


def test_multiply_stretches_sizes_of_one_only() -> None:
    gate = X.mean((2, 3), keepdim=True)
    assert torch.equal(Multiply()(gate, X), gate * X)
    with pytest.raises(Reason, match="shapes differ in more than sizes of 1"):
        Multiply()(X[:, :3], X)
    with pytest.raises(Reason, match="shapes differ in their number of sizes"):
        Multiply()(gate.flatten(1), X)
