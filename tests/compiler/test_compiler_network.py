"""Names of parameters, fx nodes and their paths; networks are ordinary modules that can be copied and stored."""

from __future__ import annotations

import copy
import io
from pathlib import Path

import torch
from compiler_sample import bind, folder, images, unit_graph, weighted
from torch import fx

from resbench.compiler.identity.normal_form import normal
from resbench.compiler.modules.network import Network, build, random_ops
from resbench.compiler.modules.unit import build_unit


def names(network: Network) -> list[str]:
    return [name for name, _ in network.named_parameters()]


def test_a_parameter_is_called_after_its_path() -> None:
    found = names(build(bind("resnet_cifar", "original", of_unit={"change": "project"}, depth=26)))
    assert "stem.conv1.weight" in found
    assert "stem.bn1.bias" in found
    assert "stages.0.units.3.f.conv1.weight" in found
    assert "stages.1.units.0.f.conv2.weight" in found
    assert "stages.1.units.0.h.shortcut1.y.conv1.weight" in found
    assert "stages.1.units.0.h.shortcut1.y.bn1.weight" in found
    assert {"head.linear1.weight", "head.linear1.bias"} < set(found)
    assert not [name for name in found if name.startswith("stages.1.units.1.h")]


def test_before_a_stage_and_depthwise_kernels(tmp_path: Path) -> None:
    library = folder(
        tmp_path,
        mine="unit: mine\nnodes: {f: {from: x, ops: [dwconv3x3, conv1x1: {out: $in}, dwconv5x5]}, y: {from: [x, f], ops: [add]}}",
        tiny="""
network: tiny
input: [3, 8, 8]
classes: 2
unit: mine
stem: [conv3x3: {out: 4}]
stages: [{units: 1}, {units: 2, before: [bn, conv1x1: {out: 6}]}]
head: [global_avg_pool, linear: {out: $classes}]
""",
    )
    network = build(bind("tiny", library=library))
    assert names(network) == [
        "stem.conv1.weight",
        *[f"stages.0.units.0.f.{op}.weight" for op in ("dwconv1", "conv1", "dwconv2")],
        "stages.1.before.bn1.weight", "stages.1.before.bn1.bias", "stages.1.before.conv1.weight",
        *[f"stages.1.units.{unit}.f.{op}.weight" for unit in (0, 1) for op in ("dwconv1", "conv1", "dwconv2")],
        "head.linear1.weight", "head.linear1.bias",
    ]  # fmt: skip


def test_an_added_relu_renames_no_conv() -> None:
    plain = unit_graph({"y": {"from": "x", "ops": ["conv3x3", "conv3x3"]}})
    more = unit_graph({"y": {"from": "x", "ops": ["relu", "conv3x3", "relu", "conv3x3"]}})
    assert [op.path for op in plain.ops] == ["y.conv1", "y.conv2"]
    assert [op.path for op in more.ops] == ["y.relu1", "y.conv1", "y.relu2", "y.conv2"]


def test_fx_nodes() -> None:
    bound = bind("resnet_cifar", "exclusive_gating", depth=20)
    unit = build(bound).stages[1].units[0]
    assert isinstance(unit, fx.GraphModule)
    calls = [node for node in unit.graph.nodes if node.op == "call_module"]
    assert [node.op for node in unit.graph.nodes] == ["placeholder", *["call_module"] * len(calls), "output"]
    graph = normal(bound).stages[1].units[0]
    assert [node.target for node in calls] == [op.path for op in graph.ops]
    for node, op in zip(calls, graph.ops, strict=True):
        assert node.meta["path"] == op.path == node.target
        assert node.name == op.path.replace(".", "_")
        assert len(node.args) == len(op.inputs)
    assert "self.f.conv1(x)" in unit.code
    assert type(unit).__name__ == "Unit1_0"
    unit.graph.lint()


def test_two_paths_that_would_share_an_fx_name_stay_apart() -> None:
    """`f_conv1.conv1` and `f.conv1` ... a block in `f` and a node `f_shortcut1_y` meet in one flat name."""
    nodes = {
        "f": {"from": "x", "ops": [{"shortcut": {"change": "project"}}]},
        "f_shortcut1_y": {"from": "x", "ops": ["conv1x1"]},
        "y": {"from": ["f", "f_shortcut1_y"], "ops": ["add"]},
    }
    unit = build_unit(unit_graph(nodes, known={"transition": True}), "Sample")
    calls = [node for node in unit.graph.nodes if node.op == "call_module"]
    assert [node.meta["path"] for node in calls] == ["f.shortcut1.y.conv1", "f_shortcut1_y.conv1", "y.add1"]
    assert len({node.name for node in calls}) == 3
    assert [name for name, _ in unit.named_parameters()] == ["f.shortcut1.y.conv1.weight", "f_shortcut1_y.conv1.weight"]


def test_it_costs_no_memory_until_it_has_weights() -> None:
    network = build(bind("resnet_cifar", depth=20))
    assert {tensor.device.type for tensor in network.state_dict().values()} == {"meta"}


def test_a_copy_is_equal_and_apart() -> None:
    bound = bind("resnet_cifar", "dropout_shortcut", depth=20)
    network = weighted(bound)
    x = images(2, (3, 32, 32))
    copied = copy.deepcopy(network)
    assert torch.equal(network.eval()(x), copied.eval()(x))
    assert [n.meta["path"] for n in copied.stages[0].units[0].graph.nodes if n.op == "call_module"]
    with torch.no_grad():
        for parameter in copied.parameters():
            parameter.add_(1.0)
    assert not torch.equal(network(x), copied(x))
    assert list(random_ops(copied)) == [f"stages.{s}.units.{u}.h.dropout1" for s in range(3) for u in range(3)]


def test_state_dict_goes_through_a_file() -> None:
    bound = bind("resnet_cifar", "full_preactivation", depth=20)
    network = weighted(bound, seed=3)
    x = images(4, (3, 32, 32))
    network.train()(x)
    file = io.BytesIO()
    torch.save(network.state_dict(), file)
    file.seek(0)
    other = weighted(bound, seed=4)
    assert not torch.equal(other.eval()(x), network.eval()(x))
    other.load_state_dict(torch.load(file, weights_only=True))
    assert torch.equal(other(x), network(x))
