"""Depth as papers count it, of networks whose name says it."""

from __future__ import annotations

import pytest

from resbench.cli.request import request_of
from resbench.compiler.architecture import bind_network
from resbench.compiler.depth import depth, graph_depth
from resbench.compiler.graph import BoundOp, Graph
from resbench.compiler.record import from_json, to_json


@pytest.mark.parametrize(
    ("network", "words", "layers"),
    [
        ("resnet_cifar", ("depth=20",), 20),
        ("resnet_cifar", ("depth=20", "unit=conv1x1_shortcut"), 20),
        ("resnet_cifar", ("depth=20", "unit=exclusive_gating"), 20),
        ("resnet_cifar", ("depth=29", "unit=original_bottleneck"), 29),
        ("resnet_imagenet", ("depth=18", "unit=original"), 18),
    ],
)
def test_depth_is_what_the_network_is_called_by(network: str, words: tuple[str, ...], layers: int) -> None:
    bound = bind_network(*request_of(network, words))
    assert depth(bound) == layers
    assert depth(from_json(to_json(bound))) == layers


def test_ops_inside_of_an_op_count() -> None:
    shape = (4, 8, 8)
    inner = Graph(shape, (BoundOp("conv1", "conv", (), (0,), shape), BoundOp("conv2", "conv", (), (1,), shape)), 2)
    held = BoundOp("f.drop_branch1", "drop_branch", (("ops", inner),), (0,), shape)
    beside = BoundOp("h.conv1", "conv", (), (0,), shape)
    joined = BoundOp("y.add1", "add", (), (1, 2), shape)
    assert graph_depth(Graph(shape, (held, beside, joined), 3)) == 2
    assert graph_depth(Graph(shape, (held, beside, joined), 2)) == 1
    assert graph_depth(Graph(shape, (), 0)) == 0
