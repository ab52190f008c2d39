"""Where several parameters of a reference fit: the right one is found by what follows, whatever the order in which they run."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from small_networks import SIZES, Basic, Bottleneck, Small, bound, verdict
from torch import Tensor, nn
from torch.nn import functional as F

from resbench.errors import BadInput
from resbench.verify.check import imported, verify
from resbench.verify.weights import tensors

torch.set_num_threads(1)

BOTTLENECK = """
unit: wide_bottleneck
nodes:
  f: {from: x, ops: [conv1x1, bn, relu, conv3x3: {stride: $stride, groups: 2}, bn, relu, conv1x1, bn]}
  h: {from: x, ops: [shortcut: {change: project, norm: [bn]}]}
  y: {from: [SUM], ops: [add, relu]}
boundary: {after_stem: [bn, relu]}
"""


@pytest.mark.parametrize("order", ["h, f", "f, h"])
def test_a_projection_as_large_as_the_first_convolution(order: str, tmp_path: Path) -> None:
    """In the first stage both even have one stride."""
    found = verdict(bound(tmp_path, BOTTLENECK.replace("SUM", order)), Small(Bottleneck))
    assert found.equal, found
    names = dict(found.pairing.names)
    assert names["stages.0.units.0.f.conv1.weight"] == "units.0.conv1.weight"
    assert names["stages.1.units.0.f.conv1.weight"] == "units.2.conv1.weight"


BRANCHES = """
unit: branches
nodes:
  a: {from: x, ops: [conv1x1: {out: 4, stride: $stride}, relu]}
  b: {from: x, ops: [conv1x1: {out: 4, stride: $stride}, sigmoid]}
  c: {from: x, ops: [conv1x1: {out: 4, stride: $stride}, relu, conv1x7: {out: 4}, conv7x1: {out: 4}]}
  d: {from: x, ops: [conv1x1: {out: 4, stride: $stride}, relu, conv7x1: {out: 4}, conv1x7: {out: 4}]}
  y: {from: [a, b, c, d], ops: [concat, bn, conv1x1]}
boundary: {after_stem: [bn, relu]}
"""


class Branches(nn.Module):
    """Runs its branches in `order`, whatever that of the concatenation."""

    def __init__(self, inside: int, out: int, stride: int, order: str = "dcba") -> None:
        super().__init__()
        self.first = nn.ModuleDict({key: nn.Conv2d(inside, 4, 1, stride, bias=False) for key in order})
        self.wide = nn.ModuleDict({key: nn.Conv2d(4, 4, (1, 7), 1, (0, 3), bias=False) for key in "cd"})
        self.high = nn.ModuleDict({key: nn.Conv2d(4, 4, (7, 1), 1, (3, 0), bias=False) for key in "cd"})
        self.bn, self.conv, self.order = nn.BatchNorm2d(16), nn.Conv2d(16, out, 1, bias=False), order

    def forward(self, x: Tensor) -> Tensor:
        found = {}
        for key in self.order:
            h = self.first[key](x)
            h = torch.sigmoid(h) if key == "b" else F.relu(h)
            if key == "c":
                h = self.high[key](self.wide[key](h))
            found[key] = self.wide[key](self.high[key](h)) if key == "d" else h
        return self.conv(self.bn(torch.cat([found[key] for key in "abcd"], 1)))  # type: ignore[no-any-return]


@pytest.mark.parametrize("order", ["abcd", "dcba", "bdac"])
def test_branches_that_begin_alike(order: str, tmp_path: Path) -> None:
    """Two of them differ in their activation alone, two in the order of a 1x7 and a 7x1."""
    found = verdict(bound(tmp_path, BRANCHES), Small(lambda *sizes: Branches(*sizes, order)))
    assert found.equal, found
    assert {n.split(".")[4]: o.split(".")[3] for n, o in found.pairing.names.items() if ".conv1.weight" in n and "units.0" in n
            and o.startswith("units.0.first")} == {key: key for key in "abcd"}  # fmt: skip


def test_a_branch_with_the_wrong_activation_is_not_equal(tmp_path: Path) -> None:
    found = verdict(bound(tmp_path, BRANCHES.replace("stride}, sigmoid]", "stride}, tanh]")), Small(Branches))
    assert not found.equal
    assert (
        "first differ at stages.0.units.0.y.bn1.weight: it reads other numbers than units.0.bn.weight"
        in found.pairing.parts
    )
    assert found.pairing.open
    assert found.pairing.tries > 1


STANDARDIZED = """
unit: standardized
nodes:
  t: {from: x, ops: [conv3x3: {stride: $stride, weight: standardized}, sigmoid]}
  g: {from: x, ops: [conv3x3: {stride: $stride, weight: standardized}, group_norm: {groups: 2}]}
  y: {from: [g, t], ops: [multiply]}
boundary: {after_stem: [bn, relu]}
"""


class Standardized(nn.Module):
    """What a weight goes through by itself is worked out from the weights that are tried."""

    def __init__(self, inside: int, out: int, stride: int) -> None:
        super().__init__()
        self.value, self.gate = (nn.Conv2d(inside, out, 3, stride, 1, bias=False) for _ in range(2))
        self.norm = nn.GroupNorm(2, out)

    def forward(self, x: Tensor) -> Tensor:
        value, gate = (F.conv2d(x, _standardized(c.weight), None, c.stride, 1) for c in (self.value, self.gate))
        return self.norm(value) * torch.sigmoid(gate)  # type: ignore[no-any-return]


def _standardized(weight: Tensor) -> Tensor:
    variance, mean = torch.var_mean(weight, (1, 2, 3), unbiased=False, keepdim=True)
    return (weight - mean) / (variance + 1e-6).sqrt()


def test_weights_that_are_standardized(tmp_path: Path) -> None:
    found = verdict(bound(tmp_path, STANDARDIZED), Small(Standardized))
    assert found.equal, found
    assert found.pairing.parts == ""


GATE = """
unit: gate
nodes:
  t: {from: x, ops: [conv3x3: {stride: $stride, bias: true}, sigmoid]}
  g: {from: x, ops: [conv3x3: {stride: $stride, bias: true}, tanh]}
  y: {from: [g, t], ops: [multiply]}
boundary: {after_stem: [bn, relu]}
"""


class Gate(nn.Module):
    def __init__(self, inside: int, out: int, stride: int) -> None:
        super().__init__()
        self.value, self.gate = (nn.Conv2d(inside, out, 3, stride, 1) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(self.value(x)) * torch.sigmoid(self.gate(x))


def test_gates_that_run_in_the_other_order(tmp_path: Path) -> None:
    """Nothing but the product tells a wrong pair, and at each unit the first is the wrong one."""
    found = verdict(bound(tmp_path, GATE), Small(Gate))
    assert found.equal, found
    assert found.pairing.names["stages.1.units.1.t.conv1.bias"] == "units.3.gate.bias"


def test_an_output_that_is_not_as_it_should_be(tmp_path: Path) -> None:
    """Nothing that has parameters comes behind it."""
    theirs = Small(Gate)
    theirs.fc.register_forward_hook(lambda module, given, logits: logits.flip(1))
    found = verdict(bound(tmp_path, GATE), theirs)
    assert not found.equal
    assert found.pairing.parts.startswith("the two first differ at the output: every operation")


def test_a_pool_on_the_other_side_of_a_linear_map(tmp_path: Path) -> None:
    """One function, written in two ways: no numbers agree at the convolution, and all do behind it."""
    unit = """
unit: pooled
nodes:
  f: {from: x, ops: [avg_pool: {kernel: $stride, stride: $stride}, conv1x1, bn, relu]}
  y: {from: f, ops: []}
boundary: {after_stem: [bn, relu]}
"""

    class Pooled(nn.Module):
        def __init__(self, inside: int, out: int, stride: int) -> None:
            super().__init__()
            self.conv, self.bn, self.pool = (
                nn.Conv2d(inside, out, 1, bias=False),
                nn.BatchNorm2d(out),
                nn.AvgPool2d(stride),
            )

        def forward(self, x: Tensor) -> Tensor:
            return F.relu(self.bn(self.pool(self.conv(x))))

    assert verdict(bound(tmp_path, unit), Small(Pooled)).equal


def test_a_map_of_everything_needs_no_walk(tmp_path: Path) -> None:
    """A factor and a summand in two operations here, in one there."""
    unit = """
unit: scaled
nodes:
  f: {from: x, ops: [conv3x3: {stride: $stride}, gain, bias, relu]}
  y: {from: f, ops: []}
"""

    class Scaled(nn.Module):
        def __init__(self, inside: int, out: int, stride: int) -> None:
            super().__init__()
            self.conv = nn.Conv2d(inside, out, 3, stride, 1, bias=False)
            self.g, self.b = nn.Parameter(torch.ones(out, 1, 1)), nn.Parameter(torch.zeros(out, 1, 1))

        def forward(self, x: Tensor) -> Tensor:
            return F.relu(torch.addcmul(self.b, self.conv(x), self.g))

    ours = bound(tmp_path, unit)
    theirs = Small(Scaled)
    theirs.bn = nn.Identity()  # type: ignore[assignment]
    theirs.forward = lambda x: theirs.fc(theirs.units(theirs.pool(theirs.conv(x))).mean((2, 3)))  # type: ignore[method-assign]
    with pytest.raises(BadInput, match=r"gain1.weight \(16\) has no counterpart .*; `--map FILE` sets pairs by name"):
        verdict(ours, theirs)
    given = {f"stages.{u // 2}.units.{u % 2}.f.{mine}.{what}": f"units.{u}.{its}" for u in range(4)
             for mine, what, its in (("gain1", "weight", "g"), ("bias1", "weight", "b"))}  # fmt: skip
    assert verify(ours, theirs, SIZES, ["float64"], given).equal


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"head.linear1.wieght": "fc.weight"}, "the map names `head.linear1.wieght`: .* did you mean `head.linear1.weight`"),
        ({"head.linear1.weight": "fc"}, "the map names `fc`: expected a parameter of the reference"),
        ({"head.linear1.weight": "conv.weight"}, r"head.linear1.weight \(5x24\) with conv.weight \(8x3x3x3\): expected equal"),
    ],
)  # fmt: skip
def test_a_map_of_what_is_not_there(given: dict[str, str], message: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=message):
        verify(bound(tmp_path, "original"), Small(Basic), SIZES, ["float64"], given)


def test_weights_are_imported_by_place_whatever_they_are(tmp_path: Path) -> None:
    """A reference in which nothing tells one parameter from another; its own weights are what is imported, in float32."""
    theirs = Small(Bottleneck)
    with torch.no_grad():
        for name, tensor in tensors(theirs).items():
            tensor.fill_(0.5 if "down" in name else 0.25)
    before = {name: tensor.clone() for name, tensor in tensors(theirs).items()}
    ours, pairing = imported(bound(tmp_path, BOTTLENECK.replace("SUM", "h, f")), theirs, 16, {})
    assert pairing.parts == ""
    for name, other in pairing.names.items():
        assert tensors(ours)[name].equal(before[other].reshape(tensors(ours)[name].shape)), name
        assert ("down" in other) == ("shortcut" in name)
