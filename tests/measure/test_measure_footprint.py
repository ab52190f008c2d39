"""What training needs, by hand; what is refused and what is not; how much each question costs."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Any

import pytest
import torch

from resbench.compiler.binding.network import Request, bind_network
from resbench.compiler.graph import BoundNetwork
from resbench.compiler.modules.network import build
from resbench.errors import TooLarge
from resbench.language.graph.network import Use
from resbench.language.library.library import Library
from resbench.language.recipe.recipe import RecipeSpec, parse_recipe
from resbench.language.yaml.node import Node, from_plain
from resbench.measure import footprint
from resbench.measure import memory_check as room
from resbench.measure.capacity import Capacity
from resbench.measure.footprint import TrainingLoad, at_most, training, training_weights
from resbench.measure.memory import kept_bytes, memory_mib
from resbench.measure.memory_check import DeviceMemory, ample, lacks_memory, require, wide_enough
from resbench.measure.params import bound_weights
from resbench.ops.schema import table

LIBRARY = Library(table())
SGD = {"use": "sgd", "lr": 0.1, "momentum": 0.9}


def bound(unit: str, *, folder: Path | None = None, **params: int) -> BoundNetwork:
    use = Use("resnet_cifar", {name: Node(value) for name, value in params.items()}, Node(""))
    library = LIBRARY if folder is None else Library(table(), folder)
    return bind_network(Request(use, Use(unit, {}, Node(unit)), (3, 16, 16), 10), library)


def recipe(**more: Any) -> RecipeSpec:
    return parse_recipe(from_plain({"recipe": "mine", "optimizer": SGD, "batch": 8, "epochs": 1, **more}, "recipe"))


def there(count: int) -> DeviceMemory:
    return DeviceMemory(Capacity("a small device", count, count))


@pytest.mark.parametrize("unit", ["original", "conv1x1_shortcut", "rezero"])
def test_weights_are_those_of_the_network_that_would_be_built(unit: str) -> None:
    net = bound(unit, depth=8, width=4)
    built, found = build(net), bound_weights(net)
    assert found.params == sum(p.numel() for p in built.parameters() if p.requires_grad)
    assert found.trained + found.fixed == sum(p.numel() * 4 for p in built.parameters())
    assert found.buffers + found.counters == sum(b.numel() * b.element_size() for b in built.buffers())
    assert found.bytes == sum(tensor.nbytes for tensor in built.state_dict().values())


def test_a_training_is_the_sum_of_its_parts() -> None:
    net = bound("original", depth=8, width=4)
    own = bound_weights(net)
    one = training(net, TrainingLoad(recipe(), 8, data=1000))
    kept = kept_bytes(net, 8)
    assert kept is not None
    assert one.known
    assert one.parts == {
        "weights": own.trained, "gradients": own.trained, "momentum": own.trained, "averaged weights": 0,
        "buffers": own.buffers + own.counters, "the data set": 1000, "activations of a batch of 8": kept,
    }  # fmt: skip
    assert one.total == 3 * own.trained + own.buffers + own.counters + 1000 + kept
    three = training(net, TrainingLoad(recipe(), 8, seeds=3, data=1000))
    assert three.total == 3 * (one.total - 1000) + 1000
    plain = training(net, TrainingLoad(recipe(optimizer={"use": "sgd", "lr": 0.1}), 8))
    assert plain.parts["momentum"] == 0
    averaged = training(net, TrainingLoad(recipe(average={"decay": 0.9}), 8))
    assert averaged.parts["averaged weights"] == own.trained + own.buffers
    narrow = training(net, TrainingLoad(recipe(precision="bfloat16"), 8))
    assert narrow.parts["activations of a batch of 8"] == kept // 2


def test_an_evaluation_counts_where_it_takes_more_than_a_step() -> None:
    net = bound("plain", depth=8, width=4)
    parts = training(net, TrainingLoad(recipe(), 2, evaluated=256)).parts
    assert parts["activations of 256 images in evaluation"] == 256 * 4 * 2 * prod((4, 16, 16))
    assert "activations of a batch of 64" in training(net, TrainingLoad(recipe(), 64, evaluated=256)).parts


def test_units_that_are_worked_out_again_keep_their_ends() -> None:
    """Three units of a stage in segments of two: the ends are kept, and one segment at a time."""
    net = bound("full_preactivation", depth=20, width=4)
    whole, ends = kept_bytes(net, 8), kept_bytes(net, 8, recompute=True)
    assert whole is not None
    assert ends is not None
    assert 0.2 * whole < ends < 0.7 * whole
    deep = [kept_bytes(bound("full_preactivation", depth=depth, width=4), 8, recompute=True) for depth in (50, 200)]
    assert deep[0] is not None
    assert deep[1] is not None
    assert deep[1] < 2.5 * deep[0]  # as the root of four times as many, and stem and head besides


def test_branches_that_are_left_out_count_nothing_and_no_draw_is_spent(tmp_path: Path) -> None:
    text = (
        "unit: {}\nnodes:\n  f: {{from: x, ops: [conv3x3: {{stride: $stride}}, bn, {}]}}\n"
        "  h: {{from: x, ops: [shortcut]}}\n  y: {{from: [h, f], ops: [add, relu]}}\nboundary: {{layers: 2}}\n"
    )
    branch = "conv3x3, bn, relu, conv3x3, bn"
    (tmp_path / "always.yaml").write_text(text.format("always", branch), "utf-8")
    (tmp_path / "mostly.yaml").write_text(
        text.format("mostly", f"drop_branch: {{rate: 0.1, ops: [{branch}]}}"), "utf-8"
    )
    always, mostly = (bound(name, folder=tmp_path, depth=8, width=4) for name in ("always", "mostly"))
    before = torch.get_rng_state()
    most, least = memory_mib(mostly), kept_bytes(mostly, 2)
    assert torch.equal(before, torch.get_rng_state())
    assert most is not None
    assert least is not None
    assert most == pytest.approx(memory_mib(always), rel=0.02)
    assert least / 2 / 2**20 < 0.7 * most


@pytest.mark.parametrize(
    "unit", ["original", "full_preactivation_bottleneck", "convnext", "resnext", "revnet", "highway"]
)
def test_the_quick_count_is_never_under_the_close_one(unit: str) -> None:
    """Where it is under what a device has, nothing is run on `meta`."""
    layers = LIBRARY.unit(unit).boundary.layers.value
    assert isinstance(layers, int)
    net = bound(unit, depth=6 * layers + 2, width=16)
    for batch, evaluated in ((2, 0), (64, 0), (2, 256)):
        load = TrainingLoad(recipe(), batch, seeds=2, evaluated=evaluated)
        assert training(net, load).total < at_most(net, load)


def test_it_is_refused_where_it_needs_a_byte_more_than_is_there() -> None:
    net, load = bound("plain", depth=8, width=4), TrainingLoad(recipe(), 64)
    need = training(net, load).total
    assert lacks_memory(net, load, there(need)) is None
    told = lacks_memory(net, load, there(need - 1))
    assert told is not None
    for words in (
        "training needs about ", "(weights ", ", gradients ", ", momentum ",
        ", activations of a batch of 64 ", ", and a small device has ", "; make the network or the batch smaller, set `recipe",
    ):  # fmt: skip
        assert words in told, words


def test_weights_that_are_too_many_alone_cost_no_run_on_meta(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("the weights alone are too many")

    monkeypatch.setattr(footprint, "kept_bytes", never)
    monkeypatch.setattr(room, "at_most", never)
    net, load = bound("original", depth=110, width=3700), TrainingLoad(recipe(), 64)
    told = lacks_memory(net, load, there(24 * 2**30))
    assert told is not None
    assert told.startswith(
        "training needs at least 1 TiB (weights 342 GiB, gradients 342 GiB, momentum 342 GiB), and a "
        "small device has 24 GiB; make the network smaller or train on a device with more memory"
    )


def test_more_parameters_than_63_bits_count_are_a_number_like_any_other() -> None:
    net = bound("plain", depth=8, width=250000)
    load = TrainingLoad(recipe(batch=10**6), 10**6, seeds=10**6)
    assert training_weights(net, load).total > 2**63
    told = lacks_memory(net, load, there(2**40))
    assert told is not None
    assert " TiB" in told


def test_weights_are_drawn_on_the_host_whatever_the_device() -> None:
    net, load = bound("plain", depth=8, width=4), TrainingLoad(recipe(), 8)
    large, small = Capacity("a card", 2**40, 2**40), Capacity("this machine", 2048, 2048)
    told = lacks_memory(net, load, DeviceMemory(large, small))
    assert told is not None
    assert "drawing weights needs at least " in told
    assert " on the host, and this machine has 2 KiB" in told


def test_so_many_seeds_as_have_ample_room_are_one_network() -> None:
    net, load = bound("plain", depth=8, width=4), TrainingLoad(recipe(), 64, seeds=8)
    one = training(net, TrainingLoad(recipe(), 64)).total
    assert wide_enough(net, load, there(2**40)) == 8
    assert wide_enough(net, load, there(room.LIBRARIES + 2 * 3 * one + one)) == 3
    assert wide_enough(net, load, there(room.LIBRARIES)) == 0
    assert ample(net, load) >= training(net, load).total + room.LIBRARIES


def test_what_else_holds_weights_is_refused_by_the_host_or_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    net = bound("plain", depth=8, width=4)
    weights = bound_weights(net).bytes
    monkeypatch.setattr(room, "host_capacity", lambda: Capacity("this machine", 2 * weights, 2 * weights))
    require("exporting it", net, times=2)
    with pytest.raises(
        TooLarge, match=r"plain in resnet_cifar: exporting it needs at least .* \(3 copies of the weights"
    ):
        require("exporting it", net, times=3)
    with pytest.raises(TooLarge, match="values of 100 images"):
        require("measuring the latency", net, images=100)
    monkeypatch.setattr(room, "capacity", lambda _: Capacity("a card", weights - 1, weights - 1))
    with pytest.raises(TooLarge, match="and a card has"):
        require("measuring the latency", net, device=torch.device("cuda"))
    monkeypatch.setattr(room, "host_capacity", lambda: None)
    require("exporting it", net, times=10**9)
