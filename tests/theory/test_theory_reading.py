"""What the graph alone says of each unit of the paper: its equation, h, f, and what is left of x_0."""

from __future__ import annotations

from pathlib import Path

import pytest
from theory_sample import bound

from resbench.theory.identities import check_identities
from resbench.theory.identity_report import consequence, identity_report

PAPER = {
    "original": ("x_{l+1} = relu(x_l + F(x_l))", "identity", "rectified", 1.0),
    "plain": ("x_{l+1} = F(x_l)", "none", "rectified", 0.0),
    "constant_scaling": ("x_{l+1} = relu(0.5 x_l + 0.5 F(x_l))", "scaled", "rectified", 0.5),
    "exclusive_gating": ("x_{l+1} = relu((1 - g) x_l + g F(x_l))", "gated", "rectified", 0.99753),
    "shortcut_only_gating": ("x_{l+1} = relu((1 - g) x_l + F(x_l))", "gated", "rectified", 0.99753),
    "conv1x1_shortcut": ("x_{l+1} = relu(bn(conv1x1(x_l)) + F(x_l))", "projected", "rectified", None),
    "dropout_shortcut": ("x_{l+1} = relu(dropout(x_l) + F(x_l))", "dropped", "rectified", 0.5),
    "bn_after_addition": ("x_{l+1} = relu(bn(x_l + F(x_l)))", "identity", "rectified", None),
    "relu_before_addition": ("x_{l+1} = x_l + F(x_l)", "identity", "identity", 1.0),
    "relu_only_preactivation": ("x_{l+1} = x_l + F(x_l)", "identity", "identity", 1.0),
    "full_preactivation": ("x_{l+1} = x_l + F(x_l)", "identity", "identity", 1.0),
}


@pytest.mark.parametrize("unit", PAPER)
def test_the_units_of_the_paper(unit: str) -> None:
    equation, h, f, factor = PAPER[unit]
    reading = identity_report(bound(unit, "depth=20"))
    assert (reading.equation, reading.path.h_kind, reading.path.f_kind) == (equation, h, f)
    assert reading.factor == (None if factor is None else pytest.approx(factor, abs=1e-5))
    assert reading.units == 9


def test_the_branch_and_the_gate_are_written_out() -> None:
    names = identity_report(bound("exclusive_gating", "depth=20", "unit.gate_bias=-3")).names
    assert names["g"] == "sigmoid(conv1x1(x) - 3)"
    assert names["F(x_l)"] == "bn(conv3x3(relu(bn(conv3x3(x)))))"


def test_the_consequence_over_110_layers() -> None:
    """Section 3 of the paper: 0.5 on every shortcut leaves 0.5^54 of x_0; a gate at -6 leaves 0.875."""
    half = identity_report(bound("constant_scaling", "depth=110"))
    assert "0.5^54 = 5.6e-17 of x_0" in consequence(half)
    gated = identity_report(bound("shortcut_only_gating", "depth=110"))
    assert gated.remaining_factor == pytest.approx(0.875, abs=1e-3)
    assert consequence(identity_report(bound("full_preactivation", "depth=110"))).startswith(
        "all of x_0 reaches the end"
    )


def test_two_streams_and_dense_units() -> None:
    assert identity_report(bound("revnet", "depth=26")).predicted["4"] is True
    assert identity_report(bound("dense", network="densenet", image=64)).equation == "x_{l+1} = [x_l, F(x_l)]"
    assert identity_report(bound("shufflenet_v2", network="shufflenet_v2", image=64)).predicted == {
        "4": False, "5": False, "7": True, "8": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("unit", "harm"), [("full_preactivation", 0), ("original", 1), ("bn_after_addition", 2), ("plain", 6)]
)
def test_harm_counts_the_ops_on_the_path(unit: str, harm: int) -> None:
    assert identity_report(bound(unit, "depth=20")).non_identity_ops == harm


ODD = {
    "two_sums": (
        "m: {from: [h, f], ops: [add]}\n  g: {from: m, ops: [bn, conv3x3]}\n"
        "  y: {from: [m, g], ops: [add, scale: {by: 0.5}]}",
        "0.5^6 = 0.016 of x_0",
    ),
    "less_f": ("y: {from: [h, f], ops: [subtract]}", "all of x_0 reaches the end"),
    "not_at_all": (
        "k: {from: h, ops: [drop_branch: {rate: 0.5, ops: []}]}\n  y: {from: [k, f], ops: [add]}",
        "1^6 = 1 of x_0",
    ),
    "wider": ("y: {from: [h, f], ops: [concat, conv1x1]}", "h is an identity, but conv1x1 after the sum"),
    "squared": ("k: {from: [h, h], ops: [multiply]}\n  y: {from: [k, f], ops: [add]}", "x is combined with itself"),
    "fading": (
        "k: {from: h, ops: [scale: {by: '$((unit+1)/units)'}]}\n  y: {from: [k, f], ops: [add]}",
        "the product of 6 factors from 0.17 to 1 = 0.015 of x_0",
    ),
    "minus": ("y: {from: [f, h], ops: [subtract]}", "(-1)^6 = 1 of x_0"),
    "twice": ("k: {from: x, ops: [shortcut]}\n  y: {from: [h, k, f], ops: [add]}", "2^6 = 64 of x_0"),
    "swished": ("y: {from: [h, f], ops: [add, hardswish]}", "h is an identity, but hardswish after the sum"),
    "shuffled": (
        "y: {from: [h, f], ops: [add, channel_shuffle: {groups: 2}]}",
        "all of x_0 reaches the end, but each unit moves",
    ),
    "left_out": (
        "k: {from: h, ops: [dropout: {rate: 0.5}]}\n  y: {from: [k, f], ops: [add]}",
        "1^6 = 1 of x_0 and of the gradient passes on average",
    ),
    "gained": ("k: {from: h, ops: [gain: {init: ones}]}\n  y: {from: [k, f], ops: [add]}", "1^6 = 1 of x_0"),
    "dropped": (
        "y: {from: [f, h], ops: [add, dropout: {rate: 0.5, inverted: false}]}",
        "0.5^6 = 0.016 of x_0 and of the gradient passes on average",
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_units_that_nobody_has_published(name: str, tmp_path: Path) -> None:
    """What the graph says, and that the network agrees."""
    nodes, told = ODD[name]
    file = tmp_path / f"{name}.yaml"
    file.write_text(
        f"unit: {name}\nnodes:\n  f: {{from: x, ops: [bn, relu, conv3x3: {{stride: $stride}}]}}\n"
        f"  h: {{from: x, ops: [shortcut]}}\n  {nodes}\nboundary: {{layers: 2}}\n",
        "utf-8",
    )
    net = bound(str(file), "depth=14", "width=4")
    assert consequence(identity_report(net)).startswith(told)
    assert all(check.agrees for check in check_identities(net))


def test_each_op_is_told_by_its_own_word(tmp_path: Path) -> None:
    file = tmp_path / "two.yaml"
    file.write_text(
        "unit: two\nnodes:\n  f: {from: x, ops: [bn, relu, conv3x3: {stride: $stride}]}\n  h: {from: x, ops: [shortcut]}\n"
        "  y: {from: [h, f], ops: [add, scale: {by: 0.5}, dropout: {rate: 0.5}]}\nboundary: {layers: 1}\n",
        "utf-8",
    )
    one = identity_report(bound(str(file), "depth=8", "width=4"))
    assert one.f == "dropped at random: dropout; scaled by a constant: scale"
    assert (one.alike, one.per_stage) == (4, 2)
