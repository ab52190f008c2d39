"""Parameters by kind -> groups with and without weight decay."""

from __future__ import annotations

import torch
from train_sample import network, recipe

from resbench.train.optim import make_optimizer


def by_decay(decay: list[str]) -> tuple[dict[str, float], torch.optim.Optimizer]:
    """The weight decay that each parameter of a net with convs, norms, biases and a linear layer gets."""
    net, _ = network("exclusive_gating")
    optimizer = make_optimizer(net, recipe({"weight_decay": 0.25, "decay": decay}).optimizer)
    given = {id(p): group["weight_decay"] for group in optimizer.param_groups for p in group["params"]}
    assert sum(len(group["params"]) for group in optimizer.param_groups) == len(list(net.parameters()))
    return {name: given[id(p)] for name, p in net.named_parameters()}, optimizer


def test_every_kind_is_decayed_by_default() -> None:
    decays, optimizer = by_decay(["conv", "linear", "norm", "bias", "gain"])
    assert set(decays.values()) == {0.25}
    assert len(optimizer.param_groups) == 1


def test_only_the_kinds_named_are_decayed() -> None:
    decays, _ = by_decay(["conv"])
    assert {name for name, value in decays.items() if value} == {n for n in decays if ".conv" in n and "weight" in n}
    assert decays["head.linear1.weight"] == decays["stem.bn1.weight"] == 0.0
    assert decays["stages.0.units.0.g.conv1.bias"] == 0.0


def test_biases_of_convs_and_the_linear_layer_are_of_the_kind_bias() -> None:
    decays, _ = by_decay(["bias"])
    decayed = {name for name, value in decays.items() if value}
    assert {"head.linear1.bias", "stages.0.units.0.g.conv1.bias"} <= decayed
    assert not any(name.endswith("weight") for name in decayed)


def test_no_kind_at_all() -> None:
    assert set(by_decay([])[0].values()) == {0.0}


def test_the_optimizers_numbers_are_the_recipes() -> None:
    net, _ = network("original")
    optimizer = make_optimizer(net, recipe({"lr": 0.3, "momentum": 0.8, "nesterov": True}).optimizer)
    group = optimizer.param_groups[0]
    assert (group["lr"], group["momentum"], group["nesterov"], group["dampening"]) == (0.3, 0.8, True, 0)
