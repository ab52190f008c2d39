"""What references do in training: drop at random, give several outputs; and images or weights that they do not take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from safetensors.torch import save_file
from small_networks import NETWORK, Basic, Small, bound, verdict
from torch import Tensor, nn
from torch.nn import functional as F

from resbench.compiler.modules.load_weights import load_weights
from resbench.errors import BadInput
from resbench.verify.check import verify
from resbench.verify.reference import reference

torch.set_num_threads(1)
PROJECT = ("unit.change=project",)


class Logits(NamedTuple):
    logits: Tensor
    aux: Tensor | None


class Masked(Basic):
    """Drops its branch as timm's DropPath does."""

    def forward(self, x: Tensor) -> Tensor:
        h = x if self.down is None else self.down(x)
        f = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.training:
            mask = f.new_empty((len(f), 1, 1, 1)).bernoulli_(0.75)
            f = f * mask.div_(0.75)
        return F.relu(f + h)


def dropping(drop: Callable[[Tensor, bool], Tensor]) -> Small:
    """Drops in front of its last layer."""
    net = Small(Basic)
    net.fc.register_forward_pre_hook(lambda module, given: drop(given[0], module.training))
    return net


@pytest.mark.parametrize(
    "drop",
    [
        lambda x, training: F.dropout(x, 0.3, training),
        lambda x, training: F.dropout(x, p=0.3, training=training, inplace=True),
        lambda x, training: F.dropout2d(x[:, :, None, None], 0.3, training).flatten(1),
        lambda x, training: F.alpha_dropout(x, 0.3, training=training),
    ],
)
def test_functions_that_drop(drop: Callable[[Tensor, bool], Tensor], tmp_path: Path) -> None:
    found = verdict(bound(tmp_path, "original", PROJECT), dropping(drop))
    assert found.equal, found
    assert found.rates == (Counter(), Counter({0.3: 1}))


class DropPathUnit(Masked):
    """By its name it drops, and yet its norms are in training."""


def test_a_path_dropped_by_a_mask(tmp_path: Path) -> None:
    ours = bound(tmp_path, "original", PROJECT)
    found = verdict(ours, Small(Masked))
    assert found.equal, found
    assert found.rates == (Counter(), Counter({0.25: 4}))
    assert verdict(ours, Small(DropPathUnit)).equal


def test_a_branch_within_an_op_that_drops_is_in_training(tmp_path: Path) -> None:
    unit = """
unit: dropped
nodes:
  f: {from: x, ops: [drop_branch: {rate: 0.25, ops: [conv3x3: {stride: $stride}, bn, relu, conv3x3, bn]}]}
  h: {from: x, ops: [shortcut: {change: project, norm: [bn]}]}
  y: {from: [h, f], ops: [add, relu]}
boundary: {after_stem: [bn, relu]}
"""
    found = verdict(bound(tmp_path, unit), Small(Masked))
    assert found.equal, found
    assert found.rates == (Counter({0.25: 4}), Counter({0.25: 4}))


def test_rates_of_both_are_compared(tmp_path: Path) -> None:
    """Modules and functions alike: the networks are the same where nothing is dropped, and the rates are reported."""
    network = NETWORK.replace("linear: {out", "dropout: {rate: 0.3}, linear: {out")
    ours = bound(tmp_path, "original", PROJECT, network)
    for p in (0.3, 0.2):
        theirs = Small(Basic)
        theirs.fc = nn.Sequential(nn.Dropout(p), theirs.fc)  # type: ignore[assignment]
        found = verdict(ours, theirs)
        assert found.equal, found
        assert found.rates == (Counter({0.3: 1}), Counter({p: 1}))


def test_a_module_that_drops_and_never_runs_has_no_rate(tmp_path: Path) -> None:
    theirs = Small(Basic)
    theirs.idle = nn.Dropout(0.3)
    assert verdict(bound(tmp_path, "original", PROJECT), theirs).rates == (Counter(), Counter())


def test_numbers_drawn_in_a_way_that_nobody_knows(tmp_path: Path) -> None:
    theirs = dropping(lambda x, training: x + torch.rand_like(x) if training else x)
    with pytest.raises(BadInput, match=r"draws random numbers in a way that cannot be disabled.*--reference-args"):
        verdict(bound(tmp_path, "original", PROJECT), theirs)


class Aux(Small):
    """With a second head in training."""

    def __init__(self, give: Callable[[Tensor, Tensor], Any]) -> None:
        super().__init__(Basic)
        self.aux, self.give = nn.Linear(16, 5), give

    def forward(self, x: Tensor) -> Any:
        h = self.units[:2](self.pool(F.relu(self.bn(self.conv(x)))))
        logits = self.fc(self.units[2:](h).mean((2, 3)))
        return self.give(logits, self.aux(h.mean((2, 3)))) if self.training else logits


@pytest.mark.parametrize(
    "give", [lambda y, aux: (y, aux), lambda y, aux: [y, aux], Logits, lambda y, aux: {"out": y, "aux": aux}]
)
def test_a_second_head_in_training_is_not_equal(give: Callable[[Tensor, Tensor], Any], tmp_path: Path) -> None:
    found = verdict(bound(tmp_path, "original", PROJECT), Aux(give))
    assert not found.equal
    assert all(difference.equal for difference in found.differences)
    assert (found.outputs, found.unused) == ((1, 2), ("aux.weight", "aux.bias"))
    assert found.params[1] - found.params[0] == 85


def test_a_second_head_that_is_left_out(tmp_path: Path) -> None:
    """The same class, as its makers build it without the head."""
    theirs = Aux(lambda y, aux: Logits(y, None))
    del theirs.aux
    theirs.aux = nn.Identity()  # type: ignore[assignment]
    assert verdict(bound(tmp_path, "original", PROJECT), theirs).equal


def test_float32_decides_nothing(tmp_path: Path) -> None:
    theirs = Small(Basic)
    theirs.fc.register_forward_hook(lambda module, given, y: y * (1.01 if y.dtype == torch.float32 else 1))
    for dtypes in (["float32"], ["float32", "float64"]):
        found = verify(bound(tmp_path, "original", PROJECT), theirs, [16], dtypes, {})
        assert [(d.dtype, d.equal) for d in found.differences] == [("float64", True), ("float32", False)]
        assert found.equal
        theirs = Small(Basic)
        theirs.fc.register_forward_hook(lambda module, given, y: y * (1.01 if y.dtype == torch.float32 else 1))
    theirs = Small(Basic)
    theirs.fc.register_forward_hook(lambda module, given, y: y * (1 + 1e-8))
    found = verify(bound(tmp_path, "original", PROJECT), theirs, [16], ["float32"], {})
    assert not found.equal


class Versioned(Small):
    """Asks for the version that torch keeps in a state dict beside its tensors, as torchvision's MNASNet does."""

    def __init__(self) -> None:
        super().__init__(Basic)

    def _load_from_state_dict(self, state_dict: Any, prefix: str, local_metadata: dict[str, Any], *rest: Any) -> None:
        if local_metadata.get("version") != 2:
            raise ValueError(f"version should be 2, not {local_metadata.get('version')}")
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)

    _version = 2


def test_a_network_that_asks_for_its_version(tmp_path: Path) -> None:
    theirs = Versioned()
    save_file(theirs.state_dict(), tmp_path / "x.safetensors")
    torch.save(dict(theirs.state_dict()), tmp_path / "x.pth")
    for name in ("x.safetensors", "x.pth"):
        load_weights(Versioned(), tmp_path / name)
    assert verdict(bound(tmp_path, "original", PROJECT), theirs).equal


def test_weights_that_a_network_refuses(tmp_path: Path) -> None:
    theirs = Versioned()
    save_file(theirs.state_dict(), tmp_path / "x.safetensors")
    theirs._version = 3
    with pytest.raises(BadInput, match="weights do not fit: version should be 2, not 3"):
        load_weights(theirs, tmp_path / "x.safetensors")


def test_a_size_that_is_not_taken(tmp_path: Path) -> None:
    """The walk takes the first of the sizes, not one of its own."""
    network = NETWORK.replace("global_avg_pool", "avg_pool: {kernel: 8, stride: 8}")
    ours, theirs = bound(tmp_path, "original", PROJECT, network), Small(Basic)
    theirs.forward = lambda x: theirs.fc(  # type: ignore[method-assign]
        F.avg_pool2d(theirs.units(theirs.pool(F.relu(theirs.bn(theirs.conv(x))))), 8).flatten(1)
    )
    assert verdict(ours, theirs, (32,)).equal
    for sizes in ((64,), (32, 64)):
        with pytest.raises(BadInput, match=r"the network does not take images of 3x64x64: .*; try another --size"):
            verdict(ours, theirs, sizes)
    with pytest.raises(BadInput, match=r"the reference does not take images of 3x64x64: .*; try another --size"):
        verdict(bound(tmp_path, "original", PROJECT), theirs, (64,))


def test_arguments_of_a_reference() -> None:
    built = reference("torchvision:shufflenet_v2_x0_5", 10, {})
    assert built.fc.out_features == 10  # type: ignore[union-attr]
    assert reference("torchvision:mobilenet_v2", 10, {"dropout": 0.5}).classifier[0].p == 0.5  # type: ignore[index,union-attr]
    for arguments, message in (
        ({"depth": 3}, "`torchvision:shufflenet_v2_x0_5` cannot be built with depth=3: .*unexpected keyword"),
        (
            {"weights": "DEFAULT"},
            "--reference-args: expected arguments that .*, got `weights`; leave it out: resbench sets weights and classes",
        ),
        ({"pretrained": True}, "--reference-args: .* got `pretrained`; "),
    ):
        with pytest.raises(BadInput, match=message):
            reference("torchvision:shufflenet_v2_x0_5", 10, arguments)
