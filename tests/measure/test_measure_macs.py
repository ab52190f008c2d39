"""Multiply-adds of single ops by hand, and what the count says of operations without a price."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from resbench.compiler.graph import BoundOp, Graph
from resbench.measure.macs import Macs, _UnpricedRecorder, graph_macs
from resbench.measure.params import params
from resbench.ops.registry import kinds
from resbench.ops.schema import table


def one(op: str, shape: tuple[int, ...], result: tuple[int, ...], **arguments: object) -> Graph:
    said = {name: arguments.get(name, argument.default) for name, argument in table()[op].arguments.items()}
    inputs = (0,) * table()[op].inputs[0]
    return Graph(shape, (BoundOp("y.op1", op, tuple(sorted(said.items())), inputs, result),), 1)


@pytest.mark.parametrize(
    ("graph", "count"),
    [
        (one("conv", (4, 8, 6), (16, 8, 6), kernel=(3, 3), out=16), 16 * 8 * 6 * 4 * 9),
        (one("conv", (4, 8, 6), (16, 4, 3), kernel=(3, 3), out=16, stride=(2, 2)), 16 * 4 * 3 * 4 * 9),
        (one("conv", (4, 8, 6), (4, 8, 6), kernel=(1, 7), out=4, groups=4), 4 * 8 * 6 * 7),
        (one("conv", (4, 8, 6), (4, 8, 6), kernel=(1, 1), out=4, bias=True), 4 * 8 * 6 * 4),
        (one("linear", (64,), (10,), out=10), 640),
    ],
)
def test_by_hand(graph: Graph, count: int) -> None:
    assert graph_macs(graph) == Macs(count, ())


@pytest.mark.parametrize("op", sorted(set(kinds()) - {"conv", "linear"}))
def test_everything_else_is_free_and_known_to_be(op: str) -> None:
    arguments: dict[str, object] = {
        "slice": {"stop": 2}, "pad_channels": {"out": 6}, "subsample": {"stride": 2}, "dropout": {"rate": 0.5},
        "scale": {"by": 0.5}, "max_pool": {"kernel": (3, 3)}, "avg_pool": {"kernel": (3, 3)},
        "drop_branch": {"rate": 0.5}, "group_norm": {"groups": 2}, "channel_shuffle": {"groups": 2},
    }.get(op, {})  # fmt: skip
    assert graph_macs(one(op, (4, 8, 6), (4, 8, 6), **arguments)) == Macs(0, ())


def test_what_has_no_price_is_named() -> None:
    seen = _UnpricedRecorder()
    with seen:
        torch.cumsum(torch.empty(3, 3, device="meta"), 0) + torch.ones(3, 3, device="meta")
    assert seen.unpriced == {"aten.cumsum"}


def test_frozen_parameters_are_not_counted() -> None:
    layers = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2, bias=False))
    assert params(layers) == 8 + 4
    layers[1].weight.requires_grad_(False)
    assert params(layers) == 8
