"""What differs between two units is told; between two files that mean the same, nothing."""

from __future__ import annotations

from compiler_sample import bind, chain, of

from resbench.compiler.identity.difference import GraphEdit, difference


def test_nothing_differs_between_two_ways_to_say_it() -> None:
    scaled = bind("resnet_cifar", "constant_scaling", depth=20, of_unit={"shortcut_scale": 1, "branch_scale": 1})
    assert difference(bind("resnet_cifar", "original", depth=20), scaled) == []
    assert difference(chain("conv3x3", {"dropout": {"rate": 0}}), chain("conv3x3")) == []


def test_an_op_more_an_op_less() -> None:
    (found,) = difference(chain("conv3x3", "bn", "relu"), chain("conv3x3", "relu", {"scale": {"by": 0.5}}))
    assert found.only_first == ("y.bn1: bn",)
    assert found.only_second == ("y.scale1: scale {by: 0.5}",)
    assert found.arguments == ()
    assert found.reads == (GraphEdit("y.relu1", "y.bn1", "y.conv1"),)
    assert found.parts == ("stages.0.units.0",)


def test_arguments_that_changed_are_told_alone() -> None:
    (found,) = difference(chain({"conv3x3": {"bias": True, "bias_init": -6}}), chain({"conv3x3": {"bias": True}}))
    assert found.arguments == (GraphEdit("y.conv1", "bias_init: -6", "bias_init: 0"),)
    assert (found.only_first, found.only_second, found.reads) == ((), (), ())


def test_the_same_ops_in_another_order() -> None:
    (found,) = difference(chain("bn", "relu"), chain("relu", "bn"))
    assert (found.only_first, found.only_second) == ((), ())
    assert {change.path for change in found.reads} == {"y.bn1", "y.relu1"}


def test_the_order_of_operands_counts_only_where_it_does() -> None:
    def joined(op: str, *sources: str) -> dict[str, dict[str, object]]:
        return {"a": {"from": "x", "ops": ["bn"]}, "y": {"from": list(sources), "ops": [op]}}

    assert difference(of(joined("add", "x", "a")), of(joined("add", "a", "x"))) == []
    (found,) = difference(of(joined("subtract", "x", "a")), of(joined("subtract", "a", "x")))
    assert found.reads == (GraphEdit("y.subtract1", "x, a.bn1", "a.bn1, x"),)


def test_one_way_to_differ_is_told_once() -> None:
    nearly_closed, half_open = (
        bind("resnet_cifar", "exclusive_gating", depth=20, of_unit={"gate_bias": bias}) for bias in (-6, 0)
    )
    found = difference(nearly_closed, half_open)
    assert [len(part.parts) for part in found] == [9]
