"""Blocks: found, checked with what uses them, never inside themselves, never named like an op."""

from __future__ import annotations

from pathlib import Path

import pytest
from language_sample import put, told

from resbench.language.library.library import MAX_CHAIN

BLOCK = "block: {name}\nnodes:\n  y: {{from: x, ops: [{ops}]}}\n"


def test_blocks_are_found_and_checked_with_the_unit(folder: Path) -> None:
    unit = "unit: mine\nnodes:\n  y: {from: x, ops: [se, se: {r: 4}, rleu]}\n"
    put(
        folder,
        {
            "arch_specs/blocks/se.yaml": "block: se\nparams: {r: 16}\n"
            + BLOCK.format(name="", ops="scale: {by: $r}")[8:]
        },
    )
    assert told(folder, unit.replace(", rleu", "")) == []
    assert (
        told(folder, unit.replace("r: 4", "q: 4"))[0]
        == "3:31: nodes.y.ops[1].se.q: se: unknown argument `q`; allowed: r"
    )
    put(folder, {"arch_specs/blocks/se.yaml": BLOCK.format(name="se", ops="reluu")})
    assert told(folder, unit) == [
        "arch_specs/blocks/se.yaml:3:22: nodes.y.ops[0]: unknown op `reluu`; did you mean `relu` or `relu6` or `gelu`?",
        "3:38: nodes.y.ops[2]: unknown op `rleu`; did you mean `relu` or `relu6`?",
    ]


def test_a_block_may_not_contain_itself(folder: Path) -> None:
    put(
        folder,
        {
            f"arch_specs/blocks/{a}.yaml": BLOCK.format(name=a, ops=b)
            for a, b in (("aa", "bb"), ("bb", "aa"), ("cc", "cc"))
        },
    )
    unit = "unit: mine\nnodes: {{y: {{from: x, ops: [{}]}}}}\n"
    assert told(folder, unit.format("aa")) == [
        "arch_specs/blocks/bb.yaml:3:22: nodes.y.ops[0]: a block may not contain itself: aa <- bb <- aa"
    ]
    assert told(folder, unit.format("cc")) == [
        "arch_specs/blocks/cc.yaml:3:22: nodes.y.ops[0]: a block may not contain itself: cc <- cc"
    ]


def test_blocks_inside_blocks_end(folder: Path) -> None:
    put(
        folder,
        {
            f"arch_specs/blocks/b{i}.yaml": BLOCK.format(name=f"b{i}", ops=f"b{i + 1}, b{i + 1}, b{i + 1}")
            for i in range(1200)
        },
    )
    put(folder, {"arch_specs/blocks/b1200.yaml": BLOCK.format(name="b1200", ops="relu")})
    assert told(folder, "unit: mine\nnodes: {y: {from: x, ops: [b1190]}}\n") == []
    assert told(folder, "unit: mine\nnodes: {y: {from: x, ops: [b0]}}\n") == [
        f"arch_specs/blocks/b{MAX_CHAIN - 1}.yaml:3:{column}: nodes.y.ops[{i}]: blocks inside blocks, more than {MAX_CHAIN} deep"
        for i, column in enumerate((22, 27, 32))
    ]


def test_a_bad_block_is_read_once_however_often_it_is_used(folder: Path) -> None:
    put(
        folder,
        {
            f"arch_specs/blocks/b{i}.yaml": BLOCK.format(name=f"b{i}", ops=", ".join([f"b{i + 1}"] * 200))
            for i in range(6)
        },
    )
    put(folder, {"arch_specs/blocks/b6.yaml": BLOCK.format(name="b6", ops="rleu")})
    assert told(folder, "unit: mine\nnodes: {y: {from: x, ops: [b0]}}\n") == [
        "arch_specs/blocks/b6.yaml:3:22: nodes.y.ops[0]: unknown op `rleu`; did you mean `relu` or `relu6`?"
    ]


@pytest.mark.parametrize("name", ["relu", "conv3x3", "dwconv7x7", "repeat"])
def test_a_block_named_like_an_op_is_refused_with_both_origins(folder: Path, name: str) -> None:
    unit = "unit: mine\nnodes: {y: {from: x, ops: [bn]}}\n"
    put(folder, {f"arch_specs/blocks/{name}.yaml": BLOCK.format(name=name, ops="tanh")})
    (message,) = told(folder, unit)
    assert message.startswith(f"arch_specs/blocks/{name}.yaml:1:1: a block cannot be called `{name}`: it is ")
    (folder / f"arch_specs/blocks/{name}.yaml").rename(folder / f"arch_specs/blocks/my_{name}.yaml")
    assert told(folder, unit) == []


def test_a_block_found_twice_is_told_at_the_op(folder: Path) -> None:
    put(folder, {f"arch_specs/blocks/{where}/se.yaml": BLOCK.format(name="se", ops="relu") for where in "ab"})
    assert told(folder, "unit: mine\nnodes: {y: {from: x, ops: [se]}}\n") == [
        "2:28: nodes.y.ops[0]: block `se` is found twice: arch_specs/blocks/a/se.yaml, arch_specs/blocks/b/se.yaml"
    ]


@pytest.mark.parametrize(
    ("inputs", "messages"),
    [
        ("[a, b]", []),
        ("[a, a]", ["2:9: inputs: 1 to 8 different names other than `y` are needed"]),
        ("[a, y]", ["2:9: inputs: 1 to 8 different names other than `y` are needed"]),
        ("[a, forward]", ["2:13: inputs[1]: `forward` is an attribute of every torch module"]),
        ("[a, 3]", ["2:13: inputs[1]: a name is needed, got 3"]),
        ("a", ["2:9: inputs: a list of names is needed, got a"]),
    ],
)
def test_inputs_of_a_block(folder: Path, inputs: str, messages: list[str]) -> None:
    found = told(folder, f"block: mine\ninputs: {inputs}\nnodes:\n  y: {{from: [a], ops: [add]}}\n", "block")
    assert found[: len(messages)] == messages
    assert bool(found) == bool(messages)


def test_a_block_has_no_boundary(folder: Path) -> None:
    text = BLOCK.format(name="mine", ops="relu")
    assert told(folder, text, "block") == []
    assert told(folder, text + "boundary: {}\n", "block") == [
        "4:1: boundary: unknown key `boundary`; allowed: block, nodes, doc, cite, extends, params, when, inputs"
    ]
