"""Parameters and multiply-adds of whole networks, to the last one."""

from __future__ import annotations

import pytest
import torch
from compiler_sample import bind
from torch.utils.flop_counter import FlopCounterMode

from resbench.compiler.modules.network import build
from resbench.measure.macs import macs
from resbench.measure.params import params

PROJECT = {"change": "project"}
FIGURE_4 = (
    "original", "bn_after_addition", "relu_before_addition", "relu_only_preactivation", "full_preactivation",
)  # fmt: skip


@pytest.mark.parametrize(
    ("depth", "option_a", "projection", "projection_bn"),
    [(20, 269_722, 272_282, 272_474), (56, 853_018, 855_578, 855_770), (110, 1_727_962, 1_730_522, 1_730_714)],
)
def test_basic_units(depth: int, option_a: int, projection: int, projection_bn: int) -> None:
    """Arithmetic on He et al. 2016; option B has a BN in the original unit, none in the pre-activation unit."""
    assert params(build(bind("resnet_cifar", "original", depth=depth))) == option_a
    assert params(build(bind("resnet_cifar", "full_preactivation", depth=depth))) == option_a
    assert params(build(bind("resnet_cifar", "full_preactivation", of_unit=PROJECT, depth=depth))) == projection
    assert params(build(bind("resnet_cifar", "original", of_unit=PROJECT, depth=depth))) == projection_bn


@pytest.mark.parametrize("unit", FIGURE_4)
def test_figure_4_costs_the_same_everywhere(unit: str) -> None:
    assert params(build(bind("resnet_cifar", unit, depth=110))) == 1_727_962


@pytest.mark.parametrize(
    ("unit", "depth", "count"),
    [
        ("original", 1202, 19_421_274),
        ("conv1x1_shortcut", 110, 1_826_202),
        ("exclusive_gating", 110, 1_824_186),
        ("shortcut_only_gating", 110, 1_824_186),
        ("plain", 110, 1_727_962),
        ("full_preactivation_bottleneck", 164, 1_703_258),
        ("original_bottleneck", 164, 1_704_154),
        ("full_preactivation_bottleneck", 1001, 10_327_706),
        pytest.param("original_bottleneck", 1001, 10_328_602, marks=pytest.mark.long),
    ],
)
def test_other_units(unit: str, depth: int, count: int) -> None:
    assert params(build(bind("resnet_cifar", unit, depth=depth))) == count


@pytest.mark.parametrize(
    ("depth", "unit", "n_params", "n_macs"),
    [(18, "original", 11_689_512, 1_814_073_344), (50, "original_bottleneck", 25_557_032, 4_089_184_256)],
)
def test_imagenet_nets_are_torchvisions(depth: int, unit: str, n_params: int, n_macs: int) -> None:
    bound = bind("resnet_imagenet", unit, depth=depth)
    assert params(build(bound)) == n_params
    assert macs(bound).count == n_macs
    assert macs(bound).unpriced == ()
    assert bound.input_shape == (3, 224, 224)


@pytest.mark.parametrize(
    ("unit", "depth"), [("original", 20), ("exclusive_gating", 20), ("full_preactivation_bottleneck", 29)]
)
def test_macs_are_half_of_what_torch_counts(unit: str, depth: int) -> None:
    """The counter watches the whole network run, the measure prices each op alone."""
    bound = bind("resnet_cifar", unit, depth=depth)
    network = build(bound)
    with FlopCounterMode(display=False) as counter:
        network(torch.empty(2, *bound.input_shape, device="meta"))
    assert macs(bound).count == counter.get_total_flops() // 4
