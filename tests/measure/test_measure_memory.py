"""What training keeps, by hand and against what autograd keeps of real images."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from resbench.compiler.binding.network import Request, bind_network
from resbench.compiler.graph import BoundNetwork
from resbench.compiler.modules.network import build
from resbench.language.graph.network import Use
from resbench.language.library.library import Library
from resbench.language.yaml.node import Node
from resbench.measure import memory
from resbench.measure.memory import kept_bytes, memory_mib
from resbench.ops.schema import table


def bound(unit: str, **params: int) -> BoundNetwork:
    network = Use("resnet_cifar", {name: Node(value) for name, value in params.items()}, Node(""))
    return bind_network(Request(network, Use(unit, {}, Node(unit)), (3, 16, 16), 10), Library(table()))


def test_a_net_of_real_images_keeps_what_is_told() -> None:
    net = bound("original", depth=8, width=4)
    network = build(net).to_empty(device="cpu").train()
    weights = {parameter.data_ptr() for parameter in network.parameters()}
    kept: dict[int, int] = {}

    def count(tensor: Tensor) -> Tensor:
        if tensor.data_ptr() not in weights:
            kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with saved_tensors_hooks(count, lambda tensor: tensor):
        y = network(torch.zeros(2, 3, 16, 16))
    assert y.shape == (2, 10)
    assert memory_mib(net) == pytest.approx(sum(kept.values()) / 2 / 2**20, rel=0.02)


def test_more_layers_and_wider_ones_keep_more() -> None:
    small, deep, wide = (bound("plain", depth=d, width=w) for d, w in ((8, 4), (20, 4), (8, 8)))
    numbers = [memory_mib(net) or 0.0 for net in (small, deep, wide)]
    assert numbers[1] > 2 * numbers[0]
    assert numbers[2] == pytest.approx(2 * numbers[0], rel=0.1)


def test_what_cannot_be_trained_on_meta_has_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    class Reads(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x * float(x.sum())

    memory._parts.cache_clear()
    monkeypatch.setattr(memory, "build_unit", lambda *_: Reads())
    net = bound("plain", depth=8, width=4)
    assert (memory_mib(net), kept_bytes(net, 8), kept_bytes(net, 8, recompute=True)) == (None, None, None)
