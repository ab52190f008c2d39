"""Emitted files of graphs that are no tidy rows, and of ops that plain torch lacks: still the same names and numbers."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from compiler_sample import bind, chain, folder, of
from emit_sample import differences, text

from resbench.compiler.export.python.formatter import lines, requoted

BLOCKS = {
    "swish": "block: swish\nnodes:\n  s: {from: x, ops: [sigmoid]}\n  y: {from: [x, s], ops: [multiply]}\n",
    "gate": "block: gate\nnodes:\n  m: {from: x, ops: [global_avg_pool]}\n"
    "  s: {from: m, ops: [conv1x1: {out: $channels}, sigmoid]}\n"
    "  y: {from: [x, s], ops: [multiply]}\n",
    "pop": "block: pop\nnodes:\n  pop: {from: x, ops: [conv1x1: {out: $channels}]}\n  y: {from: pop, ops: [bn]}\n",
}


def unit(tmp_path: Path, nodes: str) -> str:
    """The emitted file of a unit that uses the blocks above; raises AssertionError where its numbers are others."""
    library = folder(tmp_path, **BLOCKS, mine=f"unit: mine\nnodes:\n{nodes}boundary: {{layers: 2}}\n")
    bound = bind("resnet_cifar", "mine", library=library, depth=14, width=4)
    source = text(bound)
    assert differences(bound, source) == []
    return source


BARE = "unit: bare\nnodes:\n  f: {from: x, ops: [conv3x3]}\n  y: {from: [x, f], ops: [add]}\nboundary: {layers: 1}\n"
SHORTCUT = "  h: {from: x, ops: [shortcut: {change: project}]}\n"


@pytest.mark.parametrize(
    ("nodes", "written"),
    [
        ("  f: {from: x, ops: [conv3x3: {stride: $stride}, swish]}\n", "swish1=Swish()"),
        ("  f: {from: x, ops: [conv3x3: {stride: $stride}, gate]}\n", "gate1=Gate(channels)"),
        ("  f: {from: x, ops: [conv3x3: {stride: $stride}, pop]}\n", "pop1=Pop(channels)"),
        ("  f: {from: x, ops: [conv3x3: {stride: $stride}, scale: {by: 0.5}, conv3x3]}\n", "scale1=Scale(by=0.5)"),
    ],
)
def test_blocks(tmp_path: Path, nodes: str, written: str) -> None:
    source = unit(tmp_path, f"{nodes}{SHORTCUT}  y: {{from: [h, f], ops: [add]}}\n")
    assert written in source


def test_a_block_of_formulas_alone_is_written_in_place(tmp_path: Path) -> None:
    source = unit(tmp_path, f"  s: {{from: x, ops: [swish, conv3x3: {{stride: $stride}}]}}\n{SHORTCUT}"
                  "  f: {from: s, ops: [swish]}\n  y: {from: [h, f], ops: [add]}\n")  # fmt: skip
    assert "        f = s * torch.sigmoid(s)\n" in source


def test_a_value_that_two_blocks_share_opens_them(tmp_path: Path) -> None:
    """The mean of x is worked out once; the second gate reads it from inside the first."""
    source = unit(
        tmp_path,
        "  a: {from: x, ops: [gate]}\n  b: {from: x, ops: [gate]}\n"
        "  f: {from: [a, b], ops: [concat, conv3x3: {stride: $stride}]}\n"
        f"{SHORTCUT}  y: {{from: [h, f], ops: [add]}}\n",
    )
    assert "self.a = group(gate1=group(s=chain(" in source
    assert source.count(".mean((2, 3), keepdim=True)") == 2  # in each of two classes


def test_a_node_whose_middle_is_read(tmp_path: Path) -> None:
    source = unit(
        tmp_path,
        "  r: {from: x, ops: [relu, max_pool: {kernel: 3}]}\n  f: {from: x, ops: [relu, conv3x3: {stride: $stride}]}\n"
        "  g: {from: r, ops: [conv1x1: {stride: $stride}]}\n"
        f"{SHORTCUT}  y: {{from: [h, f, g], ops: [add]}}\n",
    )
    assert source.count("F.relu(x)") == 2


def test_three_that_meet_in_a_sum_keep_their_order(tmp_path: Path) -> None:
    unit(
        tmp_path,
        "  f: {from: x, ops: [conv3x3: {stride: $stride}]}\n  g: {from: x, ops: [conv1x1: {stride: $stride}]}\n"
        f"{SHORTCUT}  y: {{from: [g, h, f], ops: [add, relu]}}\n",
    )


def test_a_branch_that_may_be_dropped_holds_a_block(tmp_path: Path) -> None:
    source = unit(
        tmp_path,
        "  f: {from: x, ops: [drop_branch: {rate: 0.5, ops: [conv3x3: {stride: $stride}, gate]}]}\n"
        f"{SHORTCUT}  y: {{from: [h, f], ops: [add]}}\n",
    )
    assert "ops=chain(" in source
    assert "gate1=Gate(channels)" in source


def test_a_stem_that_is_no_row(tmp_path: Path) -> None:
    network = (
        "network: odd\ninput: [3, 8, 8]\nclasses: 4\nunit: bare\nstem: [conv3x3: {out: 4}, swish, gate]\n"
        "stages: [{units: 2, out: 4, before: [gate, bn]}]\nhead: [global_avg_pool, linear: {out: $classes}]\n"
    )
    bound = bind("odd", library=folder(tmp_path, **BLOCKS, odd=network, bare=BARE))
    source = text(bound)
    assert differences(bound, source) == []
    assert "swish1=Swish()" in source
    assert source.count("class Gate(") == 1
    assert "before=chain(gate1=Gate(4), bn1=nn.BatchNorm2d(4))" in source


@pytest.mark.parametrize(
    "ops",
    [
        [{"dropout": {"rate": 0.5, "inverted": False}}, "conv3x3"],
        ["layer_norm", {"gain": {"init": 1e-5}}, {"bias": {"per": "all", "init": 0.5}}],
        *([{"conv3x3": {"weight": w, "bias": True}}] for w in ("standardized", "scaled_standardized", "spectral")),
        [{"group_norm": {"groups": 2}}, {"channel_shuffle": {"groups": 2}}, "conv3x3"],
        [
            {
                "drop_branch": {
                    "rate": 0.5,
                    "scale": "eval",
                    "ops": ["conv3x3", {"dropout": {"rate": 0.5, "inverted": False}}],
                }
            }
        ],
    ],
    ids=str,
)
def test_ops_that_plain_torch_lacks(ops: list[object]) -> None:
    bound = chain(*ops)
    source = text(bound)
    assert differences(bound, source) == []
    assert "resbench." not in source
    assert "generator" not in source
    assert ".starts" not in source


def test_two_branches_mixed_at_random(tmp_path: Path) -> None:
    nodes = {
        "f": {"from": "x", "ops": ["conv3x3"]}, "g": {"from": "x", "ops": ["conv1x1"]},
        "y": {"from": ["f", "g"], "ops": ["random_mix", "relu"]},
    }  # fmt: skip
    bound = of(nodes)
    assert differences(bound, text(bound)) == []
    assert "self.y = group(random_mix1=RandomMix())" in text(bound)
    assert "return F.relu(self.y.random_mix1(f, g))" in text(bound)


def test_a_fraction_stands_only_where_it_is_a_whole_argument() -> None:
    given = {
        "rate=0.05555555555555555": "rate=1 / 18",
        "x * 0.05555555555555555": "x * 0.05555555555555555",
        "0.123456789012345": None,
    }
    for before, after in given.items():
        assert lines("", ast.parse(f"f({before})", mode="eval").body) == [f"f({after or before})"]


def test_quotes() -> None:
    assert requoted("f(a='x', b=\"it's\", c='say \"no\"')") == 'f(a="x", b="it\'s", c=\'say "no"\')'


def test_the_sample_can_tell() -> None:
    bound = chain("layer_norm")
    assert differences(bound, text(bound).replace("self.eps)", "0.5)")) != []


def test_a_unit_that_does_nothing(tmp_path: Path) -> None:
    assert "    def forward(self, x: Tensor) -> Tensor:\n        return x\n" in unit(
        tmp_path, "  y: {from: x, ops: [shortcut]}\n"
    )
