"""Small networks written in torch and in YAML: equal ones are called equal, one altered by a hair is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from small_networks import Basic, Small, bound, verdict
from torch import nn
from torch.nn import functional as F

from resbench.errors import BadInput

torch.set_num_threads(1)
PROJECT = ("unit.change=project",)


def test_equal(tmp_path: Path) -> None:
    found = verdict(bound(tmp_path, "original", PROJECT), Small(Basic))
    assert found.equal, found
    assert found.params[0] == found.params[1] > 10_000
    assert (found.pairing.parts, found.pairing.open) == ("", ())


class Wider(Basic):
    """Twice as wide inside."""

    def __init__(self, inside: int, out: int, stride: int) -> None:
        super().__init__(inside, out, stride)
        self.conv1, self.bn1 = nn.Conv2d(inside, 2 * out, 3, stride, 1, bias=False), nn.BatchNorm2d(2 * out)
        self.conv2 = nn.Conv2d(2 * out, out, 3, 1, 1, bias=False)


def set_eps(net: Small) -> None:
    net.units[1].bn2.eps = 1.1e-5


def set_momentum(net: Small) -> None:
    net.units[3].bn2.momentum = 0.11


def set_ceil(net: Small) -> None:
    net.pool.ceil_mode = True


def move_stride(net: Small) -> None:
    net.units[2].conv1.stride, net.units[2].conv2.stride = (1, 1), (2, 2)


def set_padding_mode(net: Small) -> None:
    net.units[0].conv2.padding_mode = "reflect"
    net.units[0].conv2._reversed_padding_repeated_twice = [1, 1, 1, 1]


def set_activation(net: Small) -> None:
    net.units[3].act = nn.ReLU6()


def set_leak(net: Small) -> None:
    net.units[0].act = nn.LeakyReLU(1e-6)


def pool_first(net: Small) -> None:
    """Norm and activation behind the pool."""
    net.forward = lambda x: net.fc(net.units(F.relu(net.bn(net.pool(net.conv(x))))).mean((2, 3)))  # type: ignore[method-assign]


def no_statistics(net: Small) -> None:
    """A norm that never learns its running mean: evaluation shows it, once it has been trained."""
    net.units[1].bn1.momentum = 0.0


def sum_scaled(net: Small) -> None:
    unit = net.units[3]
    unit.bn2.register_forward_hook(lambda module, given, result: result * (1 + 1e-6))


def untrained(net: Small) -> None:
    """One weight gets no gradient."""
    net.units[1].conv1.weight.requires_grad_(False)


HAIRS: list[Callable[[Small], None]] = [
    set_eps, set_momentum, set_ceil, move_stride, set_padding_mode, set_activation, set_leak, pool_first, no_statistics,
    sum_scaled, untrained,
]  # fmt: skip


@pytest.mark.parametrize("alter", HAIRS, ids=lambda alter: alter.__name__)
def test_altered_by_a_hair(alter: Callable[[Small], None], tmp_path: Path) -> None:
    theirs = Small(Basic)
    alter(theirs)
    found = verdict(bound(tmp_path, "original", PROJECT), theirs)
    assert not found.equal, found


@pytest.mark.parametrize(
    ("alter", "where"),
    [
        (set_eps, "at stages.0.units.1.f.bn2.weight: it returns other numbers than units.1.bn2.weight"),
        (move_stride, "at stages.1.units.0.f.conv1.weight: it returns other numbers than units.2.conv1.weight"),
        (set_leak, "at stages.0.units.0.f.conv2.weight: it reads other numbers than units.0.conv2.weight"),
        (set_ceil, ""),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_where_two_first_differ(alter: Callable[[Small], None], where: str, tmp_path: Path) -> None:
    theirs = Small(Basic)
    alter(theirs)
    assert where in verdict(bound(tmp_path, "original", PROJECT), theirs).pairing.parts


def test_parameters_without_a_counterpart(tmp_path: Path) -> None:
    ours = bound(tmp_path, "original", PROJECT)
    wider, longer = Small(Basic), Small(Basic)
    wider.units[3] = Wider(24, 24, 1)
    with pytest.raises(
        BadInput,
        match=r"units.1.f.conv1.weight \(24x24x3x3\): expected a counterpart among the \d operations left .* got none with",
    ):
        verdict(ours, wider)
    longer.units.append(Basic(24, 24, 1))
    with pytest.raises(
        BadInput, match=r"for each operation on parameters, got 4 without one, the first with units.4.conv1.weight; "
    ):
        verdict(ours, longer)
