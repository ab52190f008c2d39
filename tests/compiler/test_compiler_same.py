"""What does not count: pairs of networks that are one architecture."""

from __future__ import annotations

import pytest
from compiler_pairs import ADD, Build, F, G, chains, node, op, summed, units
from compiler_sample import digest, net, of, unit_graph

HALVED = node("x", op("conv3x3", stride=2))
EQUAL: dict[str, Build] = {
    "names of nodes": units({"f": F, "y": ADD}, {"branch": F, "y": node(["x", "branch"], "add")}),
    "order of nodes": units(
        {"f": F, "g": G, "y": node(["f", "g"], "multiply")}, {"y": node(["f", "g"], "multiply"), "g": G, "f": F}
    ),
    "inputs of add swapped": units({"f": F, "y": ADD}, {"f": F, "y": node(["f", "x"], "add")}),
    "inputs of multiply swapped": units(
        {"f": F, "g": G, "y": node(["f", "g"], "multiply")}, {"f": F, "g": G, "y": node(["g", "f"], "multiply")}
    ),
    "inputs of a stretched multiply swapped": units(
        {"g": node("x", "global_avg_pool", "conv1x1"), "y": node(["g", "x"], "multiply")},
        {"g": node("x", "global_avg_pool", "conv1x1"), "y": node(["x", "g"], "multiply")},
    ),
    "two like branches swapped": units(
        {"a": F, "b": F, "c": node("a", "tanh"), "y": node(["c", "b"], "add")},
        {"a": F, "b": F, "c": node("b", "tanh"), "y": node(["c", "a"], "add")},
    ),
    "inputs of a sum of nothing swapped": units(
        {"a": node("x", "conv3x3", "zero"), "b": node("x", "conv1x1", "zero"), "y": node(["a", "b"], "add", "bias")},
        {"a": node("x", "conv3x3", "zero"), "b": node("x", "conv1x1", "zero"), "y": node(["b", "a"], "add", "bias")},
    ),
    "a chain cut into nodes": units(
        {"f": F, "y": ADD},
        {"a": node("x", "conv3x3"), "b": node("a"), "c": node("b", "bn", "relu"), "f": node("c", "conv3x3"), "y": ADD},
    ),
    "a boundary cut elsewhere": lambda: (
        net(unit_graph({"y": node("x", "bn", "relu")}), unit_graph({"y": node("x", "conv3x3")})),
        net(unit_graph({"y": node("x", "bn")}), unit_graph({"y": node("x", "relu", "conv3x3")})),
    ),
    "a block inlined": units(
        {"h": node("x", op("shortcut", change="project", norm=["bn"])), "f": HALVED, "y": node(["h", "f"], "add")},
        {"h": node("x", op("conv1x1", stride=2), "bn"), "f": HALVED, "y": node(["h", "f"], "add")},
        known={"transition": True, "stride": 2},
    ),
    "repeat": chains([op("repeat", times=2, ops=["conv3x3", "relu"])], ["conv3x3", "relu", "conv3x3", "relu"]),
    "dropout 0": chains(["conv3x3", op("dropout", rate=0, inverted=False), "relu"], ["conv3x3", "relu"]),
    "scale 1": chains(["conv3x3", op("scale", by=1)], ["conv3x3"]),
    "subsample 1": chains(["conv3x3", op("subsample", stride=1)], ["conv3x3"]),
    "pad to the same width": chains(["conv3x3", op("pad_channels", out=4, side="both")], ["conv3x3"]),
    "max pool 1x1": chains(["conv3x3", op("max_pool", kernel=1)], ["conv3x3"]),
    "average pool 1x1": chains(["conv3x3", op("avg_pool", kernel=[1, 1], ceil=True)], ["conv3x3"]),
    "slice of all": chains(["conv3x3", op("slice", stop=4)], ["conv3x3"]),
    "concat of one": chains(["conv3x3", "concat"], ["conv3x3"]),
    "sum of one": chains(["conv3x3", "add"], ["conv3x3"]),
    "product of one": chains(["conv3x3", "multiply"], ["conv3x3"]),
    "zero in a sum": units(summed("zero"), {"f": node("x", "conv3x3"), "y": ADD}),
    "relu of zero in a sum": units(summed("zero", "relu"), summed("zero")),
    "pool of zero in a sum": units(summed("zero", op("max_pool", kernel=3)), {"f": node("x", "conv3x3"), "y": ADD}),
    "a product with zero in a sum": units(
        {"f": F, "z": node("x", "zero"), "g": node(["z", "f"], "multiply"), "y": node(["x", "g"], "add", "bn")},
        {"y": node("x", "bn")},
    ),
    "relu of zero": chains(["zero", "relu", "conv3x3"], ["zero", "conv3x3"]),
    "a sum of zeros made in two ways": units(
        {"z": node("x", "zero"), "p": node("z", op("max_pool", kernel=3)), "y": node(["p", "z"], "add", "bn")},
        {"z": node("x", "zero"), "p": node("z", op("max_pool", kernel=3)), "y": node(["z", "p"], "add", "bn")},
    ),
    "a sum of zeros": units({"z": node("x", "zero"), "y": node(["z", "z"], "add", "bn")}, {"y": node("x", "zero", "bn")}),
    "relu of relu": chains(["conv3x3", "relu", "relu", "bn"], ["conv3x3", "relu", "bn"]),
    "relu6 of relu6": chains(["conv3x3", "relu6", "relu6"], ["conv3x3", "relu6"]),
    "nested sums": units(
        {"a": F, "b": G, "c": node("x", "conv1x1"), "s": node(["a", "b"], "add"), "y": node(["s", "c"], "add")},
        {"a": F, "b": G, "c": node("x", "conv1x1"), "s": node(["b", "c"], "add"), "y": node(["a", "s"], "add")},
    ),
    "nested sums and one sum": units(
        {"a": F, "b": G, "s": node(["a", "b"], "add"), "y": node(["s", "x"], "add")},
        {"a": F, "b": G, "y": node(["x", "b", "a"], "add")},
    ),
    "nested concats": units(
        {"a": F, "b": G, "s": node(["a", "b"], "concat"), "y": node(["s", "x"], "concat")},
        {"a": F, "b": G, "s": node(["b", "x"], "concat"), "y": node(["a", "s"], "concat")},
    ),
    "a nested sum that only what is dropped reads too": units(
        {"a": F, "s": node(["a", "x"], "add"), "z": node("s", "bn", "zero"), "c": G,
         "t": node(["s", "c"], "add"), "y": node(["t", "z"], "add")},
        {"a": F, "c": G, "y": node(["a", "x", "c"], "add")},
    ),
    "sums that are equal once flattened": units(
        {"a": F, "b": G, "p": node(["a", "b"], "add"), "s": node(["p", "x"], "add"), "q": node(["b", "x"], "add"),
         "t": node(["a", "q"], "add"), "y": node(["s", "t"], "concat")},
        {"a": F, "b": G, "s": node(["a", "b", "x"], "add"), "y": node(["s", "s"], "concat")},
    ),
    "the same relu twice": units(
        {"a": node("x", "relu"), "b": node("x", "relu"), "f": node("a", "conv3x3"), "y": node(["b", "f"], "add")},
        {"a": node("x", "relu"), "f": node("a", "conv3x3"), "y": node(["a", "f"], "add")},
    ),
    "defaults spelled out": chains(
        ["conv3x3", "bn", op("max_pool", kernel=3), op("dropout", rate=0.5)],
        [
            op("conv", kernel=[3, 3], out=4, stride=1, padding=1, dilation=[1, 1], groups=1, bias=False, bias_init=0),
            op("bn", eps=0.00001, momentum=1e-1, init=1), op("max_pool", kernel=[3, 3], stride=1, padding=[1, 1], ceil=False),
            op("dropout", rate=0.5, inverted=True),
        ],
    ),
    "conv with a kernel and conv3x3": chains([op("conv", kernel=3)], ["conv3x3"]),
    "dwconv and groups": chains(["dwconv3x3"], [op("conv3x3", groups=4)]),
    "1 for 1.0": chains([op("scale", by=2.0), op("conv3x3", stride=1.0)], [op("scale", by=2), op("conv3x3", stride=1)]),
    "ones for 1, zeros for 0": chains(
        [op("conv3x3", init="ones"), op("bn", init="zeros")], [op("conv3x3", init=1), op("bn", init=0)]
    ),
    "a sd of 1 and of 1.0": chains([op("conv3x3", init={"normal": 1})], [op("conv3x3", init={"normal": 1.0})]),
    "the start of a bias that is not there": chains([op("conv3x3", bias_init=-6)], ["conv3x3"]),
    "nodes that nothing reads here": units(
        {"f": F, "y": ADD}, {"f": F, "g": G, "y": ADD}, when=[{"if": "first", "nodes": {"g": G, "y": node(["f", "g"], "add")}}]
    ),
    "rules that never apply": lambda: (
        of({"f": F, "y": ADD}),
        of({"f": F, "y": ADD}, when=[{"if": "1 > 2", "nodes": {"f": {"ops": ["bn"]}}}]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("pair", EQUAL.values(), ids=EQUAL)
def test_one_architecture(pair: Build) -> None:
    first, second = pair()
    assert digest(first) == digest(second)
