"""Rectifiers that write over their input give the same bits, and do so only where nothing else reads that."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from compiler_sample import LIBRARY, images, of, small, weighted

from resbench.compiler.graph import BoundNetwork
from resbench.compiler.modules.inplace import use_inplace
from resbench.ops.parameter import Overwriting


def results(bound: BoundNetwork, *, over: bool) -> list[torch.Tensor]:
    """The output in training, and every gradient, that of the images too."""
    network = weighted(bound)
    if over:
        use_inplace(network)
    given = images(4, bound.input_shape).requires_grad_()
    output = network(given)
    output.square().sum().backward()
    found = [output.detach(), *(p.grad for p in network.parameters()), *(b for b in network.buffers()), given.grad]
    return [tensor for tensor in found if tensor is not None]


@pytest.mark.parametrize("unit", [u for u in LIBRARY.names("unit") if u != "dense"])
def test_the_same_bits(unit: str) -> None:
    bound = small(unit)
    assert all(map(torch.equal, results(bound, over=False), results(bound, over=True)))


def overwriting(nodes: dict[str, Any]) -> list[bool]:
    network = weighted(of(nodes))
    use_inplace(network)
    return [m.overwrites for m in network.modules() if isinstance(m, Overwriting)]


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ({"y": {"from": "x", "ops": ["conv3x3", "bn", "relu", "conv3x3", "relu6"]}}, [True, True]),
        ({"y": {"from": "x", "ops": ["relu"]}}, [False]),  # what came in is not its own
        ({"y": {"from": "x", "ops": [{"slice": {"stop": 2}}, "relu"]}}, [False]),  # a view of what came in
        ({"y": {"from": "x", "ops": ["sigmoid", "relu"]}}, [False]),  # its gradient needs its result
        (
            {"a": {"from": "x", "ops": ["bn"]}, "f": {"from": "a", "ops": ["relu"]}, "y": {"from": ["a", "f"], "ops": ["add"]}},
            [False],
        ),
        ({"y": {"from": ["x", "x"], "ops": ["add", "relu"]}}, [True]),
    ],
)  # fmt: skip
def test_only_where_nobody_can_see_it(nodes: dict[str, Any], expected: list[bool]) -> None:
    assert overwriting(nodes) == expected
