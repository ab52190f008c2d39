"""Ops as written: names, arguments, `repeat`, `$inserts`."""

from __future__ import annotations

from pathlib import Path

import pytest
from language_sample import told

from resbench.language.graph.op_list import MAX_OPS, expand, taken_by
from resbench.ops.schema import table

CONV = "out, stride, padding, dilation, groups, bias, bias_init, init, weight, gain"


def ops(text: str) -> str:
    return f"unit: mine\nnodes:\n  y: {{from: x, ops: [{text}]}}\n"


@pytest.mark.parametrize(
    ("good", "bad", "message"),
    [
        ("relu", "rleu", "3:22: nodes.y.ops[0]: unknown op `rleu`; did you mean `relu` or `relu6`?"),
        ("relu", "ReLU", "3:22: nodes.y.ops[0]: unknown op `ReLU`; did you mean `relu`?"),
        ("bn", "BatchNorm2d", "3:22: nodes.y.ops[0]: unknown op `BatchNorm2d`; did you mean `bn`?"),
        ("swish", "Swish", "3:22: nodes.y.ops[0]: unknown op `Swish`; did you mean `silu`?"),
        ("bn, relu", "bn relu", "3:22: nodes.y.ops[0]: unknown op `bn relu`; a comma is missing: [bn, relu]"),
        ("shortcut", "shortcutt", "3:22: nodes.y.ops[0]: unknown op `shortcutt`; did you mean `shortcut`?"),
        ("conv3x3", "conv3x", "3:22: nodes.y.ops[0]: unknown op `conv3x`; did you mean `conv3x3` or `dwconv3x3` "
         "or `conv`?"),
        ("conv1x7", "conv0x7",
         "3:22: nodes.y.ops[0]: unknown op `conv0x7`; did you mean `conv` or `conv3x3` or `conv1x1`?"),
        ("conv3x3", "conv٣x٣",
         "3:22: nodes.y.ops[0]: unknown op `conv٣x٣`; did you mean `conv` or `conv3x3` or `conv1x1`?"),
        ("relu", "1", "3:22: nodes.y.ops[0]: an op is a name or `name: {arguments}`, got 1"),
        ("relu", "[relu]", "3:22: nodes.y.ops[0]: an op is a name or `name: {arguments}`, got [relu]"),
        ("relu, bn", "{relu: {}, bn: {}}",
         "3:22: nodes.y.ops[0]: an op is a name or `name: {arguments}`, got {relu: {}, bn: {}}"),
        ("conv3x3: {out: 64}", "conv3x3: 64",
         "3:31: nodes.y.ops[0].conv3x3: an op is a name or `name: {arguments}`, never `conv3x3: 64`"),
        ("conv3x3: {stride: 2}", "conv3x3: {strides: 2}",
         "3:32: nodes.y.ops[0].conv3x3.strides: conv3x3: unknown argument "
         f"`strides`; allowed: {CONV}; did you mean `stride`?"),
        ("relu: {}", "relu: {inplace: true}",
         "3:29: nodes.y.ops[0].relu.inplace: relu: unknown argument `inplace`; it takes none"),
        ("conv: {kernel: 3}", "conv3x3: {kernel: 3}",
         "3:32: nodes.y.ops[0].conv3x3.kernel: conv3x3 says its kernel in its name; use `conv: {kernel: ...}`"),
        ("dropout: {rate: 0.5}", "dropout", "3:22: nodes.y.ops[0]: dropout: argument `rate` is missing: a number"),
        ("conv: {kernel: 3}", "conv: {out: 3}",
         "3:22: nodes.y.ops[0]: conv: argument `kernel` is missing: a whole number or "
         "two whole numbers [height, width]"),
        ("dropout: {rate: 0}", "dropout: {rate: abc}",
         "3:38: nodes.y.ops[0].dropout.rate: dropout: rate must be a number, got abc"),
        ("dropout: {rate: 1e-3}", 'dropout: {rate: "1e-3"}',
         '3:38: nodes.y.ops[0].dropout.rate: dropout: rate must be a number, got "1e-3"'),
        ("dropout: {rate: 0.1}", "dropout: {rate: .nan}",
         "3:38: nodes.y.ops[0].dropout.rate: dropout: rate must be a number, got .nan"),
        ("dropout: {rate: 0.1}", "dropout: {rate: -.inf}",
         "3:38: nodes.y.ops[0].dropout.rate: dropout: rate must be a number, got -.inf"),
        ("conv3x3: {groups: 4.0}", "conv3x3: {groups: true}",
         "3:40: nodes.y.ops[0].conv3x3.groups: conv3x3: groups must be a whole number, got true"),
        ("conv3x3: {stride: [1, 2]}", "conv3x3: {stride: [1, 2, 3]}",
         "3:40: nodes.y.ops[0].conv3x3.stride: conv3x3: stride must "
         "be a whole number or two whole numbers [height, width], got [1, 2, 3]"),
        ("conv3x3: {bias: true}", "conv3x3: {bias: 1}",
         "3:38: nodes.y.ops[0].conv3x3.bias: conv3x3: bias must be true or false, got 1"),
        ("conv3x3: {bias: false}", "conv3x3: {bias: no}",
         "3:38: nodes.y.ops[0].conv3x3.bias: conv3x3: bias must be true or false, got no"),
        ("conv3x3: {init: {normal: 0.1}}", "conv3x3: {init: {uniform: 0.1}}",
         "3:38: nodes.y.ops[0].conv3x3.init: conv3x3: init "
         "must be zeros, ones, a number or {normal: sd from 0} or nothing, got {uniform: 0.1}"),
        ("pad_channels: {out: 8, side: both}", "pad_channels: {out: 8, side: left}",
         "3:51: nodes.y.ops[0].pad_channels.side: pad_channels: side must be `end` or `both`, got left"),
        ("shortcut: {change: pad}", "shortcut: {chnage: pad}",
         "3:33: nodes.y.ops[0].shortcut.chnage: shortcut: unknown argument "
         "`chnage`; allowed: out, stride, norm, offset, side, change; did you mean `change`?"),
        ("repeat: {times: 2, ops: [relu]}", "repeat",
         "3:22: nodes.y.ops[0]: `repeat` is written `repeat: {times: n, ops: [...]}`"),
        ("repeat: {times: 2, ops: [relu]}", "repeat: {times: 2}", "3:30: nodes.y.ops[0].repeat: key `ops` is missing"),
        ("repeat: {times: $(1 + 1), ops: []}", "repeat: {times: 2, ops: [rleu]}",
         "3:47: nodes.y.ops[0].repeat.ops[0]: unknown op `rleu`; did you mean `relu` or `relu6`?"),
        ("scale: {by: $stride}", "scale: {by: $strid}",
         "3:34: nodes.y.ops[0].scale.by: `strid` stands for nothing here"),
        ("conv3x3: {stride: [1, $stride]}", "conv3x3: {stride: [1, 1$stride]}",
         "3:44: nodes.y.ops[0].conv3x3.stride[1]: "
         "`1$stride` is no expression: `$name` and `$(...)` stand for a whole value, never for part of one"),
    ],
)  # fmt: skip
def test_ops(folder: Path, good: str, bad: str, message: str) -> None:
    assert told(folder, ops(good)) == []
    (found,) = told(folder, ops(bad))
    assert found == message or found.startswith(f"{message}; known:")


def test_far_from_any_name_all_are_listed(folder: Path) -> None:
    (message,) = told(folder, ops("zzzzz"))
    assert message.startswith("3:22: nodes.y.ops[0]: unknown op `zzzzz`; ops and blocks: add, avg_pool, bias, bn, ")
    assert "shortcut" in message


def test_a_param_may_stand_for_ops(folder: Path) -> None:
    params = "params: {order: [bn, relu], n: 2}\n"
    text = ops("repeat: {times: $n, ops: $order}") + params
    assert told(folder, text) == []


def test_too_many_ops(folder: Path) -> None:
    assert told(folder, ops(", ".join(["bn"] * MAX_OPS))) == []
    assert told(folder, ops(", ".join(["bn"] * (MAX_OPS + 1)))) == [
        f"3:21: nodes.y.ops: {MAX_OPS + 1} ops in one list; at most {MAX_OPS} are allowed"
    ]


def test_a_kernel_in_a_name() -> None:
    ops = table()
    assert expand("conv1x7", ops)[:2] == ("conv", "conv")
    assert [node.value for node in expand("conv1x7", ops)[2]["kernel"].items] == [1, 7]
    assert expand("dwconv3x3", ops)[:2] == ("conv", "dwconv")
    assert set(expand("dwconv3x3", ops)[2]) == {"kernel", "out", "groups"}
    for name in ("conv01x7", "conv1000x1", "bn3x3", "dwbn3x3", "dw3x3", "conv2d3x3"):
        assert expand(name, ops) == (name, name, {})


def test_ops_and_blocks_share_one_namespace() -> None:
    assert taken_by("squeeze_excite", table()) is None
    assert taken_by("relu", table()) == "it is the name of a built-in op (resbench.ops, relu.py)"
    assert (
        taken_by("conv5x5", table())
        == "it is `conv` with its kernel in its name, a built-in op (resbench.ops, conv.py)"
    )
    assert taken_by("repeat", table()) == "it is a word of the language"
