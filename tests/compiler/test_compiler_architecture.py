"""A network with its unit: boundaries, replaced units, stages with units of their own."""

from __future__ import annotations

from pathlib import Path

import pytest
from compiler_sample import bind, digest, folder, use

from resbench.compiler.binding.network import Request, bind_network
from resbench.compiler.graph import BoundNetwork
from resbench.compiler.modules.network import build
from resbench.errors import BadInput, SpecError
from resbench.language.library.library import Library
from resbench.measure.params import params
from resbench.ops.schema import table

HEAD = "head: [$after_last, global_avg_pool, linear: {out: $classes}]"
NETWORK = f"""
network: small
input: [3, 16, 16]
classes: 5
unit: original
stem: [conv3x3: {{out: 4}}, $after_stem]
stages: STAGES
{HEAD}
"""


def paths(bound: BoundNetwork) -> list[str]:
    return [path for path, _ in bound.ops()]


def small(path: Path, stages: str, unit: str | None = None, **more: str) -> BoundNetwork:
    return bind("small", unit, library=folder(path, small=NETWORK.replace("STAGES", stages), **more))


def test_boundaries_stand_where_the_network_puts_them() -> None:
    original, pre = bind("resnet_cifar", depth=20), bind("resnet_cifar", "full_preactivation", depth=20)
    relu_only = bind("resnet_cifar", "relu_only_preactivation", depth=20)
    assert [op.path for op in original.stem.ops] == ["conv1", "bn1", "relu1"]
    assert [op.path for op in original.head.ops] == ["global_avg_pool1", "linear1"]
    assert [op.path for op in pre.stem.ops] == ["conv1"]
    assert [op.path for op in pre.head.ops] == ["bn1", "relu1", "global_avg_pool1", "linear1"]
    assert [op.path for op in relu_only.stem.ops] == ["conv1", "bn1"]
    assert [op.path for op in relu_only.head.ops] == ["relu1", "global_avg_pool1", "linear1"]
    imagenet = bind("resnet_imagenet", depth=18, unit="original")
    assert [op.path for op in imagenet.stem.ops] == ["conv1", "bn1", "relu1", "max_pool1"]


@pytest.mark.parametrize(
    ("unit", "what"), [("original", "after_stem"), ("full_preactivation", "after_last")]
)  # fmt: skip
def test_a_boundary_that_the_network_does_not_place(tmp_path: Path, unit: str, what: str) -> None:
    text = NETWORK.replace("STAGES", "[{units: 1, out: 4}]").replace("$after_stem", "bn").replace("$after_last, ", "")
    library = folder(tmp_path, small=text)
    with pytest.raises(SpecError, match=rf"boundary.{what}: network small does not place `\${what}`, which this unit"):
        bind("small", unit, library=library)
    assert bind("small", "plain_free", library=folder(tmp_path, plain_free=PLAIN_FREE)).unit == "plain_free"


PLAIN_FREE = "unit: plain_free\nnodes: {y: {from: x, ops: [conv3x3: {stride: $stride}]}}"


def test_a_replaced_unit_keeps_the_networks_params_and_says_what_it_dropped() -> None:
    bound = bind("resnet_imagenet", "original", depth=18)
    assert bound.notes == (
        "original has no param stride_in; the network's value is dropped",
        "original: change is project, the network's value; its own is pad",
    )
    assert "stages.1.units.0.h.shortcut1.y.conv1" in paths(bound), "change: project is kept"
    assert bind("resnet_imagenet", depth=50).notes == ()
    both = bind("resnet_imagenet", "plain", depth=18)
    assert both.notes == ("plain has no param change, stride_in; the network's value is dropped",)
    given = bind("resnet_imagenet", "original", of_unit={"change": "pad"}, depth=18)
    assert "stages.1.units.0.h.shortcut1.y.subsample1" in paths(given), "what is given wins"
    assert given.notes == ("original has no param stride_in; the network's value is dropped",)


def test_layers_and_expansion_make_the_depth() -> None:
    for unit, depth, units in (("original", 20, 9), ("original_bottleneck", 29, 9), ("original_one_layer", 11, 9)):
        bound = bind("resnet_cifar", unit, depth=depth)
        assert sum(len(stage.units) for stage in bound.stages) == units
    assert bind("resnet_cifar", "original_bottleneck", depth=29).stages[2].units[-1].output_shape == (256, 8, 8)
    wide = bind("resnet_cifar", "original_bottleneck", of_unit={"expand": 2}, depth=29)
    assert wide.stages[2].units[-1].output_shape == (128, 8, 8)


def test_a_stage_may_change_params_or_take_another_unit(tmp_path: Path) -> None:
    two = small(
        tmp_path,
        "[{units: 1, out: 4}, {units: 1, out: 8, unit: {change: project}}, {units: 1, out: 8, unit: {use: plain}}]",
    )
    assert "stages.1.units.0.h.shortcut1.y.conv1" in paths(two)
    assert not [p for p in paths(two) if p.startswith("stages.2.units.0.h")]
    with pytest.raises(
        SpecError, match=r"unit original has no param `chnge`; its params: change; did you mean `change`"
    ):
        small(tmp_path, "[{units: 1, out: 4, unit: {chnge: pad}}]")


def test_boundaries_are_of_the_first_and_the_last_stages_unit(tmp_path: Path) -> None:
    mixed = small(tmp_path, "[{units: 1, out: 4, unit: {use: full_preactivation}}, {units: 1, out: 4}]")
    assert [op.path for op in mixed.stem.ops] == ["conv1"]
    assert [op.path for op in mixed.head.ops] == ["global_avg_pool1", "linear1"]
    mixed = small(tmp_path, "[{units: 1, out: 4}, {units: 1, out: 4, unit: {use: full_preactivation}}]")
    assert [op.path for op in mixed.stem.ops] == ["conv1", "bn1", "relu1"]
    assert [op.path for op in mixed.head.ops][:2] == ["bn1", "relu1"]


def test_expansion_is_of_the_nets_unit_whatever_the_first_stage_does(tmp_path: Path) -> None:
    stages = "[{units: 1, out: $(4 * expansion), unit: FIRST}, {units: 1, out: $(8 * expansion)}]"
    for first in ("{use: plain}", "{expand: 2}"):
        bound = small(tmp_path, stages.replace("FIRST", first), "original_bottleneck")
        assert [stage.units[0].output_shape[0] for stage in bound.stages] == [16, 32]


def test_the_data_win_over_the_networks_input() -> None:
    library = Library(table())
    bound = bind_network(Request(use("resnet_cifar"), None, (1, 14, 14), 7), library)
    assert (bound.input_shape, bound.classes) == ((1, 14, 14), 7)
    assert bound.head.output_shape == (7,)


def test_a_network_without_input_needs_data(tmp_path: Path) -> None:
    text = NETWORK.replace("STAGES", "[{units: 1, out: 4}]").replace("input: [3, 16, 16]\n", "")
    with pytest.raises(BadInput, match="network small names no `input` and `classes`; name a data set that has them"):
        bind("small", library=folder(tmp_path, small=text))


def test_a_deep_net_is_bound_built_and_known_by_its_digest() -> None:
    bound = bind("resnet_cifar", "full_preactivation_bottleneck", depth=1001)
    assert sum(len(stage.units) for stage in bound.stages) == 333
    network = build(bound)
    assert params(network) == 10_327_706
    assert {p.device.type for p in network.parameters()} == {"meta"}
    assert digest(bound).startswith("a2_")
