"""What an op is called in a picture, and what sort of op it is."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from report_sample import graph_of, node

from resbench.drawing.annotated import ShownOp, show_graph
from resbench.drawing.format import text_width
from resbench.drawing.labels import kind_of
from resbench.ops.registry import OpKind, kinds


def shown(*ops: Any, known: dict[str, Any] | None = None) -> ShownOp:
    return show_graph(graph_of({"y": node("x", *ops)}, known)).ops[-1]


@pytest.mark.parametrize(
    ("op", "label"),
    [
        ("conv3x3", "conv3x3 4→4"),
        ({"conv3x3": {"out": 8, "stride": 2}}, "conv3x3 4→8 /2"),
        ({"conv1x7": {"stride": [2, 1], "padding": 0}}, "conv1x7 4→4 /2x1 padding 0"),
        ({"conv": {"kernel": 5, "dilation": 2}}, "conv5x5 4→4 dilation 2"),
        ({"conv3x3": {"groups": 2}}, "conv3x3 4→4 groups 2"),
        ("dwconv3x3", "dwconv3x3 4"),
        ({"conv1x1": {"bias": True, "bias_init": -6}}, "conv1x1 4→4 bias -6"),
        ({"conv1x1": {"bias": True}}, "conv1x1 4→4 bias"),
        ({"conv3x3": {"weight": "standardized"}}, "conv3x3 4→4 weight standardized"),
        ({"conv3x3": {"init": {"normal": 0.1}}}, "conv3x3 4→4 init normal 0.1"),
        ("bn", "bn"),
        ({"bn": {"eps": 0.001, "init": "zeros"}}, "bn eps 0.001 init 0"),
        ({"group_norm": {"groups": 2}}, "group_norm 2"),
        ({"max_pool": {"kernel": 3, "stride": 2}}, "max_pool 3x3 /2"),
        ({"avg_pool": {"kernel": 2, "stride": 2, "count_pad": False}}, "avg_pool 2x2 /2 count pad off"),
        ({"subsample": {"stride": 2}}, "subsample /2"),
        ({"pad_channels": {"out": 8}}, "pad_channels 4→8"),
        ({"slice": {"start": 1, "stop": 3}}, "slice 1:3"),
        ({"scale": {"by": 0.5}}, "scale 0.5"),
        ({"dropout": {"rate": 0.5, "inverted": False}}, "dropout 0.5 inverted off"),
        ({"drop_branch": {"rate": 0.2, "ops": ["relu"]}}, "drop_branch 0.2"),
        ({"scale": {"by": 1 / 12}}, "scale 0.08333"),
        ("relu", "relu"),
    ],
)
def test_labels(op: Any, label: str) -> None:
    assert shown(op).label == label


def test_what_an_op_costs() -> None:
    conv = shown({"conv3x3": {"stride": 2, "out": 8, "bias": True}})
    assert (conv.shape, conv.params, conv.macs) == ((8, 4, 4), 8 * 4 * 9 + 8, 8 * 4 * 4 * 4 * 9)
    held = shown({"drop_branch": {"rate": 0.2, "ops": ["conv3x3", "bn"]}})
    assert (held.params, held.macs) == (4 * 4 * 9 + 8, 8 * 8 * 4 * 4 * 9)
    assert [op.params for op in held.inner[0][1].ops] == [144, 8]


@pytest.mark.parametrize(
    ("op", "kind"),
    [
        ("conv3x3", "weights"), ("bn", "norm"), ({"group_norm": {"groups": 2}}, "norm"), ("relu", "activation"),
        ("sigmoid", "gate"), ("gain", "gate"), ({"dropout": {"rate": 0.5}}, "random"), ({"slice": {"stop": 2}}, "moving"),
    ],
)  # fmt: skip
def test_kinds(op: Any, kind: str) -> None:
    assert shown(op).kind == kind


def test_an_op_that_says_no_role_goes_by_what_it_joins_or_its_module() -> None:
    module = kinds()["relu"].module()
    assert kind_of(OpKind("unheard_of", type(module)), module) == "other"
    assert kind_of(OpKind("unheard_of", type(module), joins="sum"), module) == "merge"
    assert kind_of(OpKind("unheard_of", type(module), joins="sum", role="norm"), module) == "norm"
    with torch.device("meta"):
        assert (
            kind_of(OpKind("unheard_of", kinds()["conv"].module), kinds()["conv"].module(4, kernel=3, out=4))
            == "weights"
        )


def test_widths_are_no_less_than_those_of_a_wide_font() -> None:
    """DejaVu Sans, which comes with matplotlib."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    font = FontProperties(family="DejaVu Sans")
    for words in (
        "conv3x3 16→32 /2",
        "2.3k params · 2.36M MACs",
        "16×32×32",
        "random_mix www, mmm",
        "illi",
        "s.shortcut",
    ):
        assert TextPath((0, 0), words, size=100, prop=font).get_extents().width <= text_width(words, 100), words
