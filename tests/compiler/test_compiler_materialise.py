"""Weights: from the seed and the canonical number alone, wherever and however the network is written."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from compiler_sample import LIBRARY, bind, chain, folder, images, net, of, small, unit_graph, weighted
from torch import nn

from resbench.compiler.identity.canonical import Canonical, canonical
from resbench.compiler.modules.initialize import initialize_weights
from resbench.compiler.modules.network import Network, build
from resbench.errors import BadInput, PluginError


def by_number(network: Network, numbers: dict[str, int]) -> dict[tuple[int, str], torch.Tensor]:
    """Weights and buffers by what they are in the normal form."""
    found = {}
    for name, tensor in network.state_dict().items():
        path, _, leaf = name.rpartition(".")
        found[numbers[path], leaf] = tensor
    return found


def same(a: dict[tuple[int, str], torch.Tensor], b: dict[tuple[int, str], torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


def test_one_seed_one_set_of_weights() -> None:
    bound = bind("resnet_cifar", "exclusive_gating", depth=20)
    numbers = canonical(bound).numbers
    first, again, other = (by_number(weighted(bound, seed), numbers) for seed in (0, 0, 1))
    assert same(first, again)
    drawn = [key for key in first if first[key].dim() > 1]
    assert len(drawn) == 19 + 9 + 1
    assert not any(torch.equal(first[key], other[key]) for key in drawn)
    flat = [first[key].flatten()[:5].tolist() for key in drawn]
    assert len({tuple(values) for values in flat}) == len(drawn), "each op draws from a stream of its own"


def test_the_state_outside_does_not_matter() -> None:
    bound = chain("conv3x3", "bn")
    torch.manual_seed(0)
    first = weighted(bound)
    torch.manual_seed(1)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), weighted(bound).parameters(), strict=True))


NODES = {
    "a": {"from": "x", "ops": ["bn", "relu", "conv3x3"]},
    "b": {"from": "x", "ops": ["conv1x1"]},
    "c": {"from": "b", "ops": [{"dropout": {"rate": 0.5}}, "conv3x3"]},
    "y": {"from": ["a", "b", "c"], "ops": ["add"]},
}
TWIN = {
    "one": {"from": "x", "ops": ["conv1x1"]},
    "drop": {"from": "one", "ops": [{"dropout": {"rate": 0.5}}]},
    "two": {"from": "drop", "ops": ["conv3x3"]},
    "act": {"from": "x", "ops": ["bn", "relu"]},
    "three": {"from": "act", "ops": ["conv3x3"]},
    "y": {"from": ["two", "three", "one"], "ops": ["add"]},
}


def test_names_and_the_order_written_do_not_matter() -> None:
    first, second = of(NODES), of(TWIN)
    a, b = canonical(first), canonical(second)
    assert a.digest == b.digest
    assert same(by_number(weighted(first), a.numbers), by_number(weighted(second), b.numbers))
    assert a.numbers["stages.0.units.0.c.dropout1"] == b.numbers["stages.0.units.0.drop.dropout1"]
    networks = [weighted(bound).double().eval() for bound in (first, second)]
    x = images(2, (4, 8, 8), torch.float64)
    torch.testing.assert_close(networks[0](x), networks[1](x), rtol=1e-12, atol=1e-12)


def test_stages_cut_elsewhere_do_not_matter(tmp_path: Path) -> None:
    text = """
network: NAME
input: [3, 8, 8]
classes: 10
unit: original
stem: [conv3x3: {out: 4}, $after_stem]
stages: STAGES
head: [global_avg_pool, linear: {out: $classes}]
"""
    library = folder(
        tmp_path,
        whole=text.replace("NAME", "whole").replace("STAGES", "[{units: 4, out: 4}]"),
        cut=text.replace("NAME", "cut").replace("STAGES", "[{units: 1, out: 4}, {units: 3, out: 4}]"),
    )
    first, second = bind("whole", library=library), bind("cut", library=library)
    a, b = canonical(first), canonical(second)
    assert a.digest == b.digest
    assert same(by_number(weighted(first), a.numbers), by_number(weighted(second), b.numbers))


def test_every_op_has_a_number_also_what_changes_nothing() -> None:
    bound = chain({"dropout": {"rate": 0.0}}, "conv3x3", {"scale": {"by": 1}}, "bn")
    found: Canonical = canonical(bound)
    assert set(found.numbers) == {path for path, _ in bound.ops()}
    assert sorted(found.numbers.values()) == list(range(4))
    prefix = "stages.0.units.0.y"
    assert (found.numbers[f"{prefix}.conv1"], found.numbers[f"{prefix}.bn1"]) == (0, 1)


def test_what_an_op_needs_wins_over_the_recipe() -> None:
    bound = of(
        {
            "g": {"from": "x", "ops": [{"conv1x1": {"bias": True, "bias_init": -6}}]},
            "z": {"from": "x", "ops": [{"conv3x3": {"init": "zeros"}}, {"bn": {"init": "zeros"}}]},
            "n": {
                "from": "x",
                "ops": [{"conv3x3": {"out": 400, "init": {"normal": 0.1}}}, {"conv1x1": {"init": 2}}, "bn"],
            },
            "y": {"from": ["g", "z", "n"], "ops": ["add"]},
        }
    )
    unit = weighted(bound).stages[0].units[0]
    assert unit.g.conv1.bias.unique().tolist() == [-6.0]
    assert unit.g.conv1.weight.count_nonzero() == 16
    assert not unit.z.conv1.weight.count_nonzero()
    assert not unit.z.bn1.weight.count_nonzero()
    assert unit.n.conv1.weight.std().item() == pytest.approx(0.1, rel=0.05)
    assert unit.n.conv2.weight.unique().tolist() == [2.0]
    assert unit.n.bn1.weight.unique().tolist() == [1.0]
    assert unit.n.bn1.bias.unique().tolist() == [0.0]
    assert (unit.n.bn1.running_mean.unique().tolist(), unit.n.bn1.running_var.unique().tolist()) == ([0.0], [1.0])


@pytest.mark.parametrize("bias", [-6, 0, 2])
def test_a_gate_starts_where_the_unit_says(bias: int) -> None:
    network = weighted(bind("resnet_cifar", "shortcut_only_gating", of_unit={"gate_bias": bias}, depth=20))
    biases = [p for name, p in network.named_parameters() if name.endswith("c.conv1.bias")]
    assert len(biases) == 9
    assert all(p.unique().tolist() == [float(bias)] for p in biases)


@pytest.mark.parametrize(("init", "fan"), [("he_normal", 16 * 9), ("he_normal_fan_out", 64 * 9)])
def test_the_recipe_draws_the_rest(init: str, fan: int) -> None:
    network = weighted(
        net(unit_graph({"y": {"from": "x", "ops": ["conv3x3"]}}, shape=(16, 8, 8), known={"out": 64})), init=init
    )
    (weight,) = network.parameters()
    assert weight.std().item() == pytest.approx(math.sqrt(2 / fan), rel=0.03)


@pytest.mark.parametrize("unit", LIBRARY.names("unit"))
def test_nothing_is_left_on_meta(unit: str) -> None:
    network = weighted(small(unit))
    assert {tensor.device.type for tensor in network.state_dict().values()} == {"cpu"}
    assert all(torch.isfinite(tensor).all() for tensor in network.state_dict().values())
    assert all(parameter.requires_grad for parameter in network.parameters())


def test_an_initialiser_that_is_not_there() -> None:
    bound = chain("conv3x3")
    with pytest.raises(BadInput, match=r"no initialiser is called `he_norml`; .*did you mean `he_normal`"):
        initialize_weights(build(bound), canonical(bound).numbers, 0, "he_norml")


def test_memory_that_nothing_would_fill_is_refused() -> None:
    with torch.device("meta"):
        network = nn.Sequential(nn.Linear(2, 2))
    with pytest.raises(PluginError, match=r"^0: Linear does not say how `weight` starts"):
        initialize_weights(network, {"0": 0}, 0, "he_normal")
