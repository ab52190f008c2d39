"""What a person reads when a network cannot be bound: where, what was given, what would do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from compiler_sample import SHAPE, bind, folder, of, unit_graph

from resbench.compiler.modules.network import build
from resbench.errors import BadInput, SpecError
from resbench.language.yaml.node import Plain

Y = {"from": ["h", "f"], "ops": ["add"]}


def message(nodes: object, **more: object) -> str:
    with pytest.raises(SpecError) as error:
        unit_graph(nodes, **more)  # type: ignore[arg-type]
    return str(error.value)


@pytest.mark.parametrize(
    ("unit", "depth", "would"),
    [("original", 57, "56 or 62"), ("original", 3, "8"), ("original_bottleneck", 100, "92 or 101"),
     ("original_one_layer", 12, "11 or 14")],
)  # fmt: skip
def test_a_depth_between_two_networks(unit: str, depth: int, would: str) -> None:
    layers = {"original": 2, "original_bottleneck": 3, "original_one_layer": 1}[unit]
    value = (depth - 2) / (3 * layers)
    with pytest.raises(SpecError) as error:
        bind("resnet_cifar", unit, depth=depth)
    lines = str(error.value).split("\n")
    assert lines[0].endswith(
        "stages[0].units: stages[0].units must be a whole number from 0 to 10,000, "
        f"got $n = {value:.6g}; depth = {would} would do"
    )
    assert re.search(r"resnet_cifar\.yaml:\d+:\d+: ", lines[0])
    assert lines[1].strip().startswith("- {units: $n")


def test_a_width_that_does_not_divide() -> None:
    nodes = {"y": {"from": "x", "ops": [{"conv1x1": {"out": "$mid"}}]}}
    said = message(nodes, params={"mid": "$(out / expand)", "expand": 3}, known={"out": 64})
    assert said == "nodes.y.ops[0].conv1x1.out: conv1x1: out must be a whole number from 0 to 1,000,000,000, " \
        "got $mid = 21.3333; expand = 2 or 4 would do"  # fmt: skip


def test_a_whole_number_with_no_param_to_change() -> None:
    nodes = {"y": {"from": "x", "ops": [{"conv1x1": {"out": "$(out / 3)"}}]}}
    assert message(nodes).endswith("got $(out / 3) = 1.33333; `//` divides and rounds down")


def test_an_addition_of_a_strided_branch() -> None:
    f = {"from": "x", "ops": [{"conv3x3": {"stride": "$stride"}}]}
    said = message({"f": f, "h": {"from": "x", "ops": ["conv1x1"]}, "y": Y}, known={"stride": 2, "out": 8})
    assert (
        said == "nodes.y.ops[0]: add: shapes differ: h is 8x8x8, f is 8x4x4; h lacks `stride: $stride`, which is 2 here"
    )
    said = message({"f": f, "y": {"from": ["x", "f"], "ops": ["add"]}}, known={"stride": 4, "out": 8})
    assert (
        said == "nodes.y.ops[0]: add: shapes differ: x is 4x8x8, f is 8x2x2; x lacks `stride: $stride`, which is 4 here"
    )


@pytest.mark.parametrize(
    ("ops", "stride", "why"),
    [
        ([{"conv3x3": {"stride": "$stride"}}, {"conv3x3": {"stride": "$stride"}}], 2,
         "f is 8x2x2; f has a stride too many: `stride: $stride`, 2 here, belongs in one op of a branch"),
        ([{"conv3x3": {"stride": 2}}], 1,
         "f is 8x4x4; f has a stride where this place asks for none: write `stride: $stride`, which is 1 here"),
        ([{"conv3x3": {"padding": 0}}], 1,
         "f is 8x6x6; f has lost 2 pixels a side, as a kernel of 3 without padding does: leave its `padding` out"),
        ([{"conv3x3": {"padding": 2}}], 1,
         "f is 8x10x10; f has 2 pixels a side more than the place asks for, as too much `padding` gives"),
        (["conv2x2"], 1, "f is 8x7x7; an even kernel changes the size by one, padded or not: take an odd one, or the same "
         "one on both"),
    ],
)  # fmt: skip
def test_the_value_that_the_place_does_not_ask_for_is_the_culprit(ops: list[Plain], stride: int, why: str) -> None:
    h = {"from": "x", "ops": [{"conv1x1": {"stride": "$stride"}}]}
    said = message({"f": {"from": "x", "ops": ops}, "h": h, "y": Y}, known={"stride": stride, "out": 8})
    assert said.endswith(why)


def test_an_addition_of_other_widths() -> None:
    f = {"from": "x", "ops": ["conv3x3"]}
    said = message({"f": f, "h": {"from": "x", "ops": []}, "y": Y}, known={"out": 8})
    assert said == (
        "nodes.y.ops[0]: add: shapes differ: x is 4x8x8, f is 8x8x8; "
        "give both the same number of channels, as `shortcut` and `conv3x3` do by themselves"
    )


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ({"y": {"from": "x", "ops": ["add", "subtract"]}}, "nodes.y.ops[1]: subtract reads 2 sources, got 1"),
        ({"y": {"from": ["x", "x"], "ops": ["relu"]}}, "nodes.y.ops[0]: relu reads 1 source, got 2"),
        ({"y": {"from": ["x", "x"], "ops": []}}, "nodes.y: 2 sources and no op that joins them; a node is one tensor"),
        ({"y": {"from": "x", "ops": [{"slice": {"stop": 9}}]}},
         "nodes.y.ops[0]: slice: 0 <= `start` (=0) < `stop` (=9) <= channels (=4) must hold (its input is 4x8x8)"),
        ({"y": {"from": "x", "ops": [{"conv3x3": {"groups": 3}}]}},
         "nodes.y.ops[0]: conv3x3: `groups` (=3) must divide the channels in (=4) and `out` (=4) (its input is 4x8x8)"),
        ({"y": {"from": "x", "ops": [{"conv": {"kernel": 9, "padding": 0}}]}},
         "the window is larger than the map with its padding"),
        ({"y": {"from": "x", "ops": ["linear"]}}, "use global_avg_pool before it, or conv1x1 (its input is 4x8x8)"),
    ],
)  # fmt: skip
def test_what_an_op_finds_wrong(nodes: object, said: str) -> None:
    assert said in message(nodes)


def test_sources_that_are_not_there_and_cycles_of_a_place() -> None:
    nodes = {"y": {"from": "x", "ops": ["relu"]}}
    when = [{"if": "unit == 0", "nodes": {"a": {"from": "x", "ops": ["bn"]}}},
            {"if": "unit == 1", "nodes": {"y": {"from": "a"}}}]  # fmt: skip
    assert message(nodes, when=when, known={"unit": 1}) == (
        "when[1].nodes.y.from: `a` is no node at this place; nodes here: x, y"
    )
    nodes = {
        "a": {"from": "x", "ops": ["bn"]}, "b": {"from": "a", "ops": ["bn"]}, "y": {"from": "b", "ops": ["relu"]},
    }  # fmt: skip
    when = [{"if": "true", "nodes": {"a": {"from": "b"}}}]
    assert "a cycle: b <- a <- b" in message(nodes, when=when)


def test_a_param_that_rests_on_itself() -> None:
    nodes = {"y": {"from": "x", "ops": [{"scale": {"by": "$a"}}]}}
    assert "param `a` depends on itself: a <- b <- a" in message(nodes, params={"a": "$(b + 1)", "b": "$(2 * a)"})


def test_outside_its_domain(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"gate_bias: 11 is not within \[-10, 10\]"):
        bind("resnet_cifar", "exclusive_gating", of_unit={"gate_bias": 11}, depth=20)
    with pytest.raises(
        SpecError, match=r"change: projct is not among the choices: pad, pool_pad, project, pool_project"
    ):
        bind("resnet_cifar", "original", of_unit={"change": "projct"}, depth=20)
    with pytest.raises(SpecError, match="unit plain has no param `change`; it has none"):
        bind("resnet_cifar", "plain", of_unit={"change": "pad"}, depth=20)


def test_a_unit_that_does_not_give_what_the_stage_asks(tmp_path: Path) -> None:
    library = folder(tmp_path, same="unit: same\nnodes:\n  y: {from: x, ops: [relu]}")
    with pytest.raises(SpecError, match=r"same.yaml:3:3: nodes.y: y is 16x32x32; the stage asks for 32 channels"):
        bind("resnet_cifar", "same", depth=20, library=library)


def test_a_head_that_ends_with_something_else(tmp_path: Path) -> None:
    text = """network: odd
input: [3, 8, 8]
classes: 4
unit: plain
stem: [conv1x1: {out: 4}, $after_stem]
stages: [{units: 1, out: 4}]
head: HEAD
"""
    for head, said in (
        ("[global_avg_pool, linear: {out: 3}]", r"odd.yaml:7:7: head: the head ends with 3; 4 numbers"),
        ("[global_avg_pool]", "the head ends with 4x1x1; 4 numbers"),
        ("[global_avg_pool, conv1x1]", "conv1x1: argument `out` must be given outside a unit"),
    ):
        with pytest.raises(SpecError, match=said):
            bind("odd", library=folder(tmp_path, odd=text.replace("HEAD", head)))


def test_caps() -> None:
    with pytest.raises(SpecError, match=r"30,000 units; 1 to 10,000 are allowed"):
        bind("resnet_cifar", depth=60002)
    with pytest.raises(SpecError, match="0 units; 1 to 10,000 are allowed"):
        bind("resnet_cifar", depth=2)
    repeat = {"y": {"from": "x", "ops": [{"repeat": {"times": 1000, "ops": ["relu"] * 6}}]}}
    assert "more than 5,000 ops and repeats in one graph" in message(repeat)
    nothing: dict[str, object] = {"times": 1000, "ops": []}
    for _ in range(2):
        nothing = {"times": 1000, "ops": [{"repeat": nothing}]}
    assert "more than 5,000 ops and repeats" in message({"y": {"from": "x", "ops": [{"repeat": nothing}]}})
    huge = {"conv3x3": {"out": 1_000_000}}
    with pytest.raises(BadInput, match=r"9,00\d,\d{3},\d{3},\d{3} parameters; at most 100,000,000,000 are allowed"):
        build(of({"y": {"from": "x", "ops": [huge, huge, {"conv1x1": {"out": 4}}]}}))
    assert "1,000,001 channels; at most 1,000,000" in message(
        {"y": {"from": "x", "ops": [{"conv1x1": {"out": 1000001}}]}}
    )
    small = {"y": {"from": "x", "ops": [{"max_pool": {"kernel": 2, "stride": 2}}] * 4}}
    assert "nodes.y.ops[3]: max_pool: " in message(small)
    assert SHAPE == (4, 8, 8)


@pytest.mark.parametrize(("given", "shown"), [("$(out / 3)", r"\$\(out / 3\) = 5.33333"), ("wide", "wide")])
def test_a_value_that_a_block_hands_on_is_told_where_it_was_written(given: str, shown: str, tmp_path: Path) -> None:
    """And a block's `out: $out`, which leads back to its own name, is no way to look for ever for what would do."""
    text = f"unit: mine\nnodes:\n  y: {{from: x, ops: [conv_bn_relu: {{out: {given}}}, conv1x1]}}\n"
    with pytest.raises(
        SpecError, match=rf"mine.yaml:3:42: nodes.y.ops\[0\].conv_bn_relu.out: conv: out .* got {shown}"
    ):
        bind("resnet_cifar", "mine", library=folder(tmp_path, mine=text))


@pytest.mark.parametrize(
    ("nodes", "more", "said"),
    [
        ({"y": {"from": "x", "ops": [{"scale": {"by": "$(order + 1)"}}]}}, {"params": {"order": ["bn", "relu"]}},
         "`+` needs numbers, got [bn, relu]"),
        ({"y": {"from": "x", "ops": [{"repeat": {"times": "$order", "ops": ["relu"]}}]}}, {"params": {"order": ["bn"]}},
         "times must be a whole number from 0 to 1,000, got [bn]"),
        ({"y": {"from": "x", "ops": [{"conv3x3": {"stride": 10**20}}]}}, {},
         "two whole numbers [height, width] from -1,000,000,000 to 1,000,000,000, got 100000000000000000000"),
        ({"y": {"from": "x", "ops": [{"conv3x3": {"init": {"normal": -1}}}]}}, {},
         "zeros, ones, a number or {normal: sd from 0} or nothing, got {normal: -1}"),
        ({"a": {"from": "x", "ops": ["global_avg_pool", {"linear": {"out": 4}}]}, "y": {"from": ["x", "a"], "ops": ["add"]}},
         {}, "add: shapes differ: x is 4x8x8, a is 4; a map and a vector cannot be joined"),
        ({"a": {"from": "x", "ops": ["global_avg_pool", {"linear": {"out": 4}}]}, "y": {"from": "a", "ops": ["conv3x3"]}},
         {}, "conv3x3: a map is needed, and this is a vector (its input is 4)"),
        ({"y": {"from": "x", "ops": [{"pad_channels": {"out": 10**9}}]}}, {},
         "1,000,000,000 channels; at most 1,000,000 are allowed"),
    ],
)  # fmt: skip
def test_what_a_reviewer_found(nodes: object, more: dict[str, object], said: str) -> None:
    assert said in message(nodes, **more)


def test_a_list_or_a_case_compared_is_told_and_not_false_in_silence() -> None:
    """A rule on a case's name would never hold, since the name stands for what the case holds."""
    params = {"gate": {"default": "none", "cases": {"none": ["h"], "gated": ["h", "g"]}}, "pre": ["bn"]}
    nodes = {
        "h": {"from": "x", "ops": ["relu"]},
        "g": {"from": "x", "ops": ["tanh"]},
        "y": {"from": "$gate", "ops": ["add"]},
    }
    for condition, got in (("gate == 'none'", "[h]"), ("pre != 1", "[bn]"), ("pre == pre", "[bn], [bn]")):
        rule = {"if": condition, "nodes": {"y": {"ops": ["add", "$pre"]}}}
        said = message(nodes, params=params, when=[rule])
        assert said.endswith(f"compares numbers, texts, true and false, got {got}")


def test_a_stage_whose_count_is_a_list_or_a_text(tmp_path: Path) -> None:
    text = "network: n\nparams:\n  depth: {default: 1, cases: {1: [2, 2], 2: [3, 3]}}\nunit: plain\ninput: [3, 8, 8]\n"
    text += "classes: 10\nstem: [conv3x3: {out: 4}, $after_stem]\nstages:\n  - {units: UNITS}\nhead: [$after_last, "
    text += "global_avg_pool, linear: {out: $classes}]\n"
    for units, got in (("$depth", "[2, 2]"), ("\"$('a' if depth == depth else 2)\"", "a")):
        with pytest.raises(SpecError) as error:
            bind("n", library=folder(tmp_path, n=text.replace("UNITS", units)))
        assert got in str(error.value) or "compares numbers" in str(error.value)
        assert "would do" not in str(error.value)
