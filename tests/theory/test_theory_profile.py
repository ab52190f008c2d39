"""Profiles against what can be worked out by hand."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from theory_sample import bound
from torch.nn import functional as F

from resbench.compiler.graph import BoundNetwork
from resbench.compiler.identity.canonical import canonical
from resbench.compiler.modules.initialize import initialize_weights
from resbench.compiler.modules.network import Network, build
from resbench.theory.profile import profile


def started(unit: str) -> tuple[BoundNetwork, Network]:
    net = bound(unit, "depth=20", "width=4")
    network = build(net)
    initialize_weights(network, canonical(net).numbers, 0, "he_normal")
    return net, network


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(8, 3, 32, 32, generator=generator), torch.arange(8) % 10


def test_variance_and_gradient_are_those_of_plain_hooks() -> None:
    net, network = started("original")
    images, labels = batch()
    found = profile(net, network, images, labels)
    assert [at.unit for at in found] == list(range(9))
    own, outs = deepcopy(network).train(), []
    for path in (at.path for at in found):
        own.get_submodule(path).register_forward_hook(lambda m, i, o: (o.retain_grad(), outs.append(o))[0])
    F.cross_entropy(own(images), labels).backward()  # type: ignore[no-untyped-call]
    for at, out in zip(found, outs, strict=True):
        assert at.variance == pytest.approx(float(out.detach().var()), rel=1e-5)
        assert at.gradient_norm == pytest.approx(float(out.grad.norm()), rel=1e-4)


def test_the_network_is_left_as_it_was() -> None:
    net, network = started("full_preactivation")
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    profile(net, network, *batch())
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())


def test_the_shortcut_carries_what_it_carries() -> None:
    shares = {unit: [at.shortcut_pct for at in profile(*started(unit), *batch())] for unit in ("plain", "original")}
    assert set(shares["plain"]) == {0.0}
    assert all(20 < share < 90 for share in shares["original"][1:3])


def test_dead_relus_are_counted() -> None:
    net, network = started("original")
    with torch.no_grad():
        network.get_submodule("stages.0.units.1.f.bn1").bias.fill_(-100.0)  # type: ignore[operator, union-attr]
    found = profile(net, network, *batch())
    assert found[0].dead_pct == 0.0
    assert found[1].dead_pct == pytest.approx(50.0)  # its first ReLU, of two as wide


def test_the_same_network_has_the_same_profile_also_where_it_draws() -> None:
    net, network = started("dropout_shortcut")
    assert profile(net, network, *batch()) == profile(net, network, *batch())
