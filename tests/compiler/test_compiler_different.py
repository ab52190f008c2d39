"""What counts: pairs of networks that are two architectures."""

from __future__ import annotations

import pytest
from compiler_pairs import ADD, Build, F, G, chains, node, op, units
from compiler_sample import chain, digest

CONV_B = op("conv1x1", bias=True, bias_init=0)
DIFFERENT: dict[str, Build] = {
    "gate bias": chains([CONV_B], [op("conv1x1", bias=True, bias_init=-6)]),
    "start of a weight": chains(["conv3x3"], [op("conv3x3", init="zeros")]),
    "another sd": chains([op("conv3x3", init={"normal": 0.1})], [op("conv3x3", init={"normal": 0.2})]),
    "momentum of bn": chains(["bn"], [op("bn", momentum=0.9)]),
    "eps of bn": chains(["bn"], [op("bn", eps=1e-3)]),
    "start of bn": chains(["bn"], [op("bn", init=0)]),
    "a bias before bn": chains(["conv3x3", "bn"], [op("conv3x3", bias=True), "bn"]),
    "order of concat": units(
        {"a": F, "y": node(["x", "a"], "concat", "conv1x1")}, {"a": F, "y": node(["a", "x"], "concat", "conv1x1")}
    ),
    "order of subtract": units({"a": F, "y": node(["x", "a"], "subtract")}, {"a": F, "y": node(["a", "x"], "subtract")}),
    "a slice of the first half": chains([op("slice", stop=2), op("conv1x1", out=4)], [op("conv1x1", out=4)]),
    "which half is sliced": chains([op("slice", stop=2)], [op("slice", start=2, stop=4)]),
    "scale": chains([op("scale", by=0.5)], [op("scale", by=0.6)]),
    "constants that could be multiplied": chains([op("scale", by=0.5), op("scale", by=0.5)], [op("scale", by=0.25)]),
    "two bns and one read twice": units(
        {"a": node("x", "bn"), "y": node(["a", "a"], "add")},
        {"a": node("x", "bn"), "b": node("x", "bn"), "y": node(["a", "b"], "add")},
    ),
    "two dropouts and one read twice": units(
        {"a": node("x", op("dropout", rate=0.5)), "y": node(["a", "a"], "add")},
        {"a": node("x", op("dropout", rate=0.5)), "b": node("x", op("dropout", rate=0.5)), "y": node(["a", "b"], "add")},
    ),
    "a conv shared and two": units(
        {"f": node("x", "conv3x3"), "a": node("f", "tanh"), "y": node(["a", "f"], "add")},
        {"f": node("x", "conv3x3"), "g": node("x", "conv3x3"), "a": node("f", "tanh"), "y": node(["a", "g"], "add")},
    ),
    "kernel": chains(["conv3x3"], ["conv1x1"]),
    "kernel turned": chains(["conv1x3"], ["conv3x1"]),
    "padding": chains(["conv3x3"], [op("conv3x3", padding=0)]),
    "stride": chains(["conv3x3"], [op("conv3x3", stride=2)]),
    "dilation": chains(["conv3x3"], [op("conv3x3", dilation=2)]),
    "groups": chains(["conv3x3"], [op("conv3x3", groups=2)]),
    "width": chains([op("conv3x3", out=8)], ["conv3x3"]),
    "dropout's rate": chains([op("dropout", rate=0.5)], [op("dropout", rate=0.4)]),
    "dropout's way": chains([op("dropout", rate=0.5)], [op("dropout", rate=0.5, inverted=False)]),
    "relu and relu6": chains(["relu"], ["relu6"]),
    "relu before and behind bn": chains(["bn", "relu"], ["relu", "bn"]),
    "tanh of tanh": chains(["tanh", "tanh"], ["tanh"]),
    "bn of bn": chains(["bn", "bn"], ["bn"]),
    "max and average": chains([op("max_pool", kernel=3)], [op("avg_pool", kernel=3)]),
    "an inner sum that something else reads": units(
        {"a": F, "s": node(["x", "a"], "add"), "t": node("s", "tanh"), "y": node(["s", "t"], "add")},
        {"a": F, "s": node(["x", "a"], "add"), "t": node("s", "tanh"), "y": node(["x", "a", "t"], "add")},
    ),
    "x twice in a sum": units({"a": F, "y": node(["x", "a", "x"], "add")}, {"a": F, "y": node(["x", "a"], "add")}),
    "which branch is read further": units(
        {"a": F, "b": G, "c": node("a", "tanh"), "y": node(["c", "b"], "add")},
        {"a": F, "b": G, "c": node("b", "tanh"), "y": node(["c", "a"], "add")},
    ),
    "a zero in a product is not one in a sum": units(
        {"z": node("x", "zero"), "f": F, "y": node(["z", "f"], "multiply", "bn")}, {"f": F, "y": node("f", "bn")}
    ),
    "a zero in a concat": units({"z": node("x", "zero"), "y": node(["x", "z"], "concat")}, {"y": node("x", "relu")}),
    "the side of the zeros": chains([op("pad_channels", out=6)], [op("pad_channels", out=6, side="both")]),
    "the pixel that is kept": chains([op("subsample", stride=2)], [op("subsample", stride=2, offset=1)]),
    "where relu stands in a sum": units(
        {"f": node("x", "conv3x3", "relu"), "y": ADD}, {"f": node("x", "conv3x3"), "y": node(["x", "f"], "add", "relu")}
    ),
    "channels of the input": lambda: (chain("relu", shape=(3, 8, 8)), chain("relu", shape=(4, 8, 8))),
}  # fmt: skip


@pytest.mark.parametrize("pair", DIFFERENT.values(), ids=DIFFERENT)
def test_two_architectures(pair: Build) -> None:
    first, second = pair()
    assert digest(first) != digest(second)


def test_no_two_rows_of_a_table_are_one() -> None:
    """All that stands in DIFFERENT is different from all else there, unless it is the same net."""
    found: dict[str, set[str]] = {}
    for pair in DIFFERENT.values():
        for bound in pair():
            text = str([(o.op, o.arguments, o.inputs) for _, o in bound.ops()]) + str(bound.input_shape)
            found.setdefault(digest(bound), set()).add(text)
    assert {d: texts for d, texts in found.items() if len(texts) > 1} == {}
