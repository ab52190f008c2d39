"""Emitted files of graphs that are no tidy rows, and of ops that plain torch lacks: still the same names and numbers."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from compiler_sample import bind, chain, folder, of
from emit_sample import differences, module, text
from torch import nn

from resbench.compiler.emit.copied import Copies
from resbench.compiler.emit.layout import requoted
from resbench.compiler.emit.statement import statement
from resbench.errors import PluginError
from resbench.ops.registry import kinds

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


def test_copied_parameters_start_as_ours(tmp_path: Path) -> None:
    made = module(text(chain("layer_norm", {"gain": {"init": 0.25}}, {"conv3x3": {"weight": "spectral"}})))
    state = {name.rpartition("y.")[2]: tensor for name, tensor in made.state_dict().items()}
    assert state["layer_norm1.weight"].tolist() == [1.0] * 4
    assert state["layer_norm1.bias"].tolist() == [0.0] * 4
    assert state["gain1.weight"].tolist() == [0.25] * 4
    assert state["conv1.left"].tolist() == [0.5] * 4
    assert 0.1 < state["conv1.weight"].std() < 0.4


def test_two_branches_mixed_at_random(tmp_path: Path) -> None:
    nodes = {
        "f": {"from": "x", "ops": ["conv3x3"]}, "g": {"from": "x", "ops": ["conv1x1"]},
        "y": {"from": ["f", "g"], "ops": ["random_mix", "relu"]},
    }  # fmt: skip
    bound = of(nodes)
    assert differences(bound, text(bound)) == []
    assert "self.y = group(random_mix1=RandomMix())" in text(bound)
    assert "return F.relu(self.y.random_mix1(f, g))" in text(bound)


@pytest.mark.parametrize("name", sorted(kinds()))
def test_every_op_can_be_copied(name: str) -> None:
    """As a plugin's would be: its class runs without resbench."""
    copies = Copies()
    copied = copies.of_class(kinds()[name].module)
    code = "\n".join([*copies.imports.values(), *("\n".join(statement(tree)) for tree in copies.trees.values())])
    names: dict[str, object] = {}
    exec(compile(f"from __future__ import annotations\n{code}", name, "exec"), names)
    assert issubclass(names[copied], nn.Module)  # type: ignore[arg-type]
    assert not re.search(r"resbench|\bFact\b|Parametric|\bStart\b", code)


PLUGIN = '''\
"""Doubled.  BCHW -> BCHW"""
from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from resbench.errors import Fact
from resbench.ops.parameter import Parametric, Start, empty
from plugin_help import pair, LIMIT as MOST


class Doubled(Parametric):
    """times: how often"""

    def __init__(self, channels: int, *, times: int = 2, init: float = 1.0) -> None:
        super().__init__()
        if times > MOST:
            raise Fact(f"`times` (={times}) must be at most {MOST}")
        self.times = pair(times)
        self.weight = empty(channels)
        self.starts = {"weight": Start("gain", initial=init)}
        self.buffer_starts = {}

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x) * self.times[0]


class Inside:
    class Deep(torch.nn.Module):
        pass
'''


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A plugin's file with a helper beside it; the helper is called as one of ours."""
    (tmp_path / "plugin_help.py").write_text(
        "LIMIT = 9\n\n\ndef pair(n: int) -> list[int]:\n    return [n, n]\n", "utf-8"
    )
    (tmp_path / "plugin_op.py").write_text(PLUGIN, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    spec = importlib.util.spec_from_file_location("plugin_op", tmp_path / "plugin_op.py")
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "plugin_op", found)
    spec.loader.exec_module(found)
    yield found
    sys.modules.pop("plugin_help", None)


def test_a_plugins_class_with_what_it_needs(plugin: ModuleType) -> None:
    copies = Copies()
    copies.of_class(kinds()["conv"].module)  # brings a `pair` of its own
    assert copies.of_class(plugin.Doubled) == "Doubled"
    assert list(copies.trees)[-3:] == ["LIMIT", "pair_", "Doubled"]
    doubled = "\n".join(statement(copies.trees["Doubled"]))
    assert doubled.startswith(
        'class Doubled(nn.Module):\n    """Doubled.  BCHW -> BCHW\n\n    times: how often\n    """\n'
    )
    assert "if times > LIMIT:\n            raise ValueError(f" in doubled
    assert "self.times = pair_(times)" in doubled
    assert "nn.init.ones_(self.weight)" in doubled
    assert copies.dropped["Doubled"] == {"init"}
    assert copies.defaults["Doubled"] == {"times": 2}


def test_a_class_without_a_place_of_its_own_is_refused(plugin: ModuleType) -> None:
    with pytest.raises(PluginError, match=r"plugin_op\.Inside\.Deep cannot be exported: .*; give the op a `code`"):
        Copies().of_class(plugin.Inside.Deep)


def test_quotes() -> None:
    assert requoted("f(a='x', b=\"it's\", c='say \"no\"')") == 'f(a="x", b="it\'s", c=\'say "no"\')'


def test_the_sample_can_tell() -> None:
    bound = chain("layer_norm")
    assert differences(bound, text(bound).replace("self.eps)", "0.5)")) != []
