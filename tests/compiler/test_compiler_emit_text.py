"""What an emitted file says, word for word where it matters: as a person would have written it."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent

import pytest
from compiler_sample import bind, chain, folder, net, of, unit_graph
from emit_sample import differences, small_unit, text, text_of_unit

from resbench.compiler.identity.canonical import canonical


def class_of(source: str, name: str) -> str:
    """One definition of a file, without its docstring."""
    found = re.search(rf"^(class|def) {name}\b.*?(?=^class |^def |\Z)", source, re.MULTILINE | re.DOTALL)
    assert found is not None, source
    return re.sub(r'    """.*?"""\n\n?', "", found.group(0), flags=re.DOTALL).strip()


def same(given: str, wanted: str) -> None:
    assert given == dedent(wanted).strip()


def test_the_original_unit() -> None:
    source = text(bind("resnet_cifar", depth=20))
    same(
        class_of(source, "OriginalTransition"),
        """
        class OriginalTransition(nn.Module):
            def __init__(self, channels: int, out: int) -> None:
                super().__init__()
                self.channels, self.out = channels, out
                self.f = chain(
                    conv1=nn.Conv2d(channels, out, 3, stride=2, padding=1, bias=False),
                    bn1=nn.BatchNorm2d(out),
                    relu1=nn.ReLU(),
                    conv2=nn.Conv2d(out, out, 3, padding=1, bias=False),
                    bn2=nn.BatchNorm2d(out),
                )

            def forward(self, x: Tensor) -> Tensor:
                h = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, self.out - self.channels))
                f = self.f(x)
                return F.relu(h + f)
        """,
    )
    same(
        class_of(source, "ResnetCifar"),
        """
        class ResnetCifar(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.stem = chain(conv1=nn.Conv2d(3, 16, 3, padding=1, bias=False), bn1=nn.BatchNorm2d(16), relu1=nn.ReLU())
                self.stages = nn.Sequential(
                    Stage(*[Original(16) for _ in range(3)]),
                    Stage(OriginalTransition(16, 32), Original(32), Original(32)),
                    Stage(OriginalTransition(32, 64), Original(64), Original(64)),
                )
                self.head = chain(global_avg_pool1=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), linear1=nn.Linear(64, 10))

            def forward(self, x: Tensor) -> Tensor:
                return self.head(self.stages(self.stem(x)))
        """,
    )


def test_the_header() -> None:
    bound = bind("resnet_cifar", depth=20)
    header = text(bound).split('"""')[1]
    assert header.startswith("resnet_cifar, a network\n\nOf unit original; small. 269,722 parameters, digest ")
    assert canonical(bound).digest in header
    assert "`resbench net export`" in header
    assert (
        'class OriginalTransition(nn.Module):\n    """original: a unit or block. Where the size of the map changes."""'
        in text(bound)
    )


def test_a_class_for_each_way_to_be_built() -> None:
    assert re.findall(r"^class (\w+)", text(bind("resnet_cifar", "full_preactivation", depth=20)), re.MULTILINE) == [
        "FullPreactivationFirst", "FullPreactivation", "FullPreactivationTransition", "Stage", "ResnetCifar",
    ]  # fmt: skip
    assert re.findall(r"^class (\w+)", text(bind("resnet_cifar", "plain", depth=20)), re.MULTILINE) == [
        "Plain", "Stage", "ResnetCifar",
    ]  # fmt: skip
    assert "Plain(16, 32, stride=2)" in text(bind("resnet_cifar", "plain", depth=20))


def test_a_bottleneck_is_a_part_of_its_width() -> None:
    source = class_of(text(bind("resnet_imagenet", depth=26)), "OriginalBottleneckTransition")
    assert "def __init__(self, channels: int, out: int, stride: int) -> None:" in source
    assert "mid = out // 4" in source
    assert "conv2=nn.Conv2d(mid, mid, 3, stride=stride, padding=1, bias=False)" in source


def test_numbers_in_a_row() -> None:
    assert "*[Dense(channels) for channels in range(64, 160, 32)]" in text(bind("densenet", depth=26))
    assert "*[PyramidWidening(channels, channels + 1) for channels in range(16, 24)]" in text(bind("pyramidnet"))
    rates = [unit_graph({"y": {"from": "x", "ops": ["conv3x3", {"dropout": {"rate": r}}]}}) for r in (0.1, 0.2, 0.4)]
    assert "Stage(*[Sample(4, rate=rate) for rate in (0.1, 0.2, 0.4)])" in text(net(*rates))
    rates = [unit_graph({"y": {"from": "x", "ops": ["conv3x3", {"dropout": {"rate": r / 18}}]}}) for r in (1, 2, 5)]
    assert "Stage(*[Sample(4, rate=rate) for rate in (1 / 18, 1 / 9, 5 / 18)])" in text(net(*rates))


def test_what_a_parameter_starts_from_stands_in_the_constructor() -> None:
    source = text(bind("resnet_cifar", "exclusive_gating", depth=8))
    assert "        nn.init.constant_(self.g.conv1.bias, -6.0)\n" in source
    source = text(
        of({"y": {"from": "x", "ops": [{"conv3x3": {"init": "zeros"}}, {"conv3x3": {"init": {"normal": 0.1}}}]}})
    )
    assert (
        "        nn.init.zeros_(self.y.conv1.weight)\n        nn.init.normal_(self.y.conv2.weight, std=0.1)\n" in source
    )
    assert "nn.init" not in text(small_unit("original"))


def test_a_unit_alone_is_of_its_place_alone() -> None:
    source = text_of_unit(bind("resnet_cifar", depth=20), 3)
    assert source.endswith(
        "def unit() -> OriginalTransition:\n"
        '    """16x32x32 -> 32x16x16: unit 3 of 9 in resnet_cifar; small."""\n'
        "    return OriginalTransition()\n"
    )
    assert "class Original(" not in source


def test_formulas_and_layers() -> None:
    nodes = {
        "a": {"from": "x", "ops": ["relu"]},
        "g": {"from": "a", "ops": [{"conv1x1": {"out": 8}}, "sigmoid", "one_minus", {"scale": {"by": -0.5}}]},
        "h": {"from": "x", "ops": [{"pad_channels": {"out": 8, "side": "both"}}, {"dropout": {"rate": 0.5}}]},
        "s": {"from": "x", "ops": [{"scale": {"by": 2}}, {"conv1x1": {"out": 8}}]},
        "y": {"from": ["h", "g", "s"], "ops": ["concat", "bn", "relu"]},
    }
    bound = of(nodes)
    same(
        class_of(text(bound), "Sample"),
        """
        class Sample(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.h = nn.Dropout(0.5)
                self.g = chain(conv1=nn.Conv2d(4, 8, 1, bias=False), sigmoid1=nn.Sigmoid())
                self.s = chain(conv1=nn.Conv2d(4, 8, 1, bias=False))
                self.y = chain(bn1=nn.BatchNorm2d(24), relu1=nn.ReLU())

            def forward(self, x: Tensor) -> Tensor:
                h = self.h(F.pad(x, (0, 0, 0, 0, 2, 2)))
                a = F.relu(x)
                g = (1 - self.g(a)) * -0.5
                s = self.s(x * 2.0)
                return self.y(torch.cat((h, g, s), 1))
        """,
    )
    assert differences(bound, text(bound)) == []


@pytest.mark.parametrize(
    ("ops", "written"),
    [
        (
            [{"conv1x7": {"stride": [1, 2]}}],
            "nn.Conv2d(4, 4, (1, 7), stride=(1, 2), padding=(0, 3), bias=False)",
        ),
        (
            [{"dwconv3x3": {"dilation": 2, "bias": True}}],
            "nn.Conv2d(4, 4, 3, padding=2, dilation=2, groups=4)",
        ),
        ([{"bn": {"eps": 1e-3, "momentum": 0.5}}], "nn.BatchNorm2d(4, eps=0.001, momentum=0.5)"),
        ([{"max_pool": {"kernel": 2, "stride": 2}}], "F.max_pool2d(x, 2, stride=2)"),
        ([{"subsample": {"stride": 2, "offset": 1}}], "x[:, :, 1::2, 1::2]"),
        ([{"slice": {"start": 1, "stop": 3}}], "x[:, 1:3]"),
        (["global_avg_pool", {"linear": {"out": 3}}, "bn"], "bn1=nn.BatchNorm1d(3)"),
        (["global_avg_pool", {"linear": {"out": 3}}], "flatten=nn.Flatten(), linear1=nn.Linear(4, 3)"),
        (["zero"], "torch.zeros_like(x)"),
    ],
)
def test_ops_as_torch_has_them(ops: list[object], written: str) -> None:
    bound = chain(*ops)
    assert written in text(bound)
    if ops != ["zero"]:
        assert differences(bound, text(bound)) == []


def test_a_block_used_often_or_that_is_no_row_has_a_class(tmp_path: Path) -> None:
    library = folder(
        tmp_path,
        act="block: act\nparams: {width: 8}\nnodes:\n  y: {from: x, ops: [conv1x1: {out: $width}, relu]}\n",
        gate="block: gate\ninputs: [a, b]\nnodes:\n  s: {from: b, ops: [conv1x1: {out: $channels}, sigmoid]}\n"
        "  y: {from: [a, s], ops: [multiply]}\n",
        mine="unit: mine\nnodes:\n  f: {from: x, ops: [conv3x3: {stride: $stride}, act: {width: 8}, act: {width: $out}]}\n"
        "  h: {from: x, ops: [shortcut: {change: project}]}\n  y: {from: [f, h], ops: [gate, relu]}\nboundary: {layers: 2}\n",
    )
    bound = bind("resnet_cifar", "mine", library=library, depth=14, width=4)
    source = text(bound)
    assert differences(bound, source) == []
    assert "act1=Act(channels, 8),\n            act2=Act(8, channels),\n" in source
    assert "def forward(self, x1: Tensor, x2: Tensor) -> Tensor:" in class_of(source, "Gate")
    assert "self.y = group(gate1=Gate(channels))" in source
    assert "return F.relu(self.y.gate1(x, f))" in source


def test_a_network_without_stem_and_head() -> None:
    assert text(chain("relu", "conv3x3")).endswith("        return self.stages(x)\n")
