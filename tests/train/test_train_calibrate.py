"""Statistics of training images in a network that was never trained: bounded outputs, and nothing of the test images."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from resbench.compiler.binding.network import Request, bind_network
from resbench.compiler.graph import BoundNetwork
from resbench.compiler.identity.canonical import canonical
from resbench.compiler.modules.initialize import initialize_weights
from resbench.compiler.modules.network import build
from resbench.data.dataset import Dataset
from resbench.data.registry import load
from resbench.data.split import normalised, whole
from resbench.errors import BadInput
from resbench.language.graph.network import Use
from resbench.language.library.library import Library
from resbench.language.yaml.node import Node
from resbench.ops.schema import table
from resbench.train import calibrate as module
from resbench.train.calibrate import calibrate


def bound(depth: int, unit: str = "full_preactivation", shape: tuple[int, int, int] = (1, 8, 8)) -> BoundNetwork:
    use = Use("resnet_cifar", {"depth": Node(depth), "width": Node(2)}, Node("resnet_cifar"))
    return bind_network(Request(use, Use(unit, {}, Node(unit)), shape, 10), Library(table()))


def fresh(of: BoundNetwork) -> nn.Module:
    network = build(of)
    initialize_weights(network, canonical(of).numbers, 0, "he_normal")
    return network.eval()


def largest(network: nn.Module) -> float:
    x, _ = whole(normalised(load("digits"), "val"))
    with torch.no_grad():
        return float(network(x).abs().max())


def state_with(data: Dataset, of: BoundNetwork, monkeypatch: pytest.MonkeyPatch) -> dict[str, Tensor]:
    monkeypatch.setattr(module, "load", lambda name: data)
    network = fresh(of)
    assert calibrate(network, of, "digits") == len(data.splits["train"])
    return network.state_dict()


def changed(data: Dataset, split: str) -> Dataset:
    images = data.images
    assert isinstance(images, Tensor)
    images = images.clone()
    images[data.splits[split]] = 255 - images[data.splits[split]]
    return replace(data, images=images)


def test_outputs_of_a_deep_network_are_bounded() -> None:
    of = bound(110)
    network = fresh(of)
    weights = {name: p.clone() for name, p in network.named_parameters()}
    assert largest(network) > 1e5
    assert calibrate(network, of, "digits") == 1117
    assert largest(network) < 100
    assert all(p.equal(weights[name]) for name, p in network.named_parameters())
    assert not network.training


def test_of_training_images_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    data, of = load("digits"), bound(8)
    own = state_with(data, of, monkeypatch)
    for split, same in (("test", True), ("val", True), ("train", False)):
        other = state_with(changed(data, split), of, monkeypatch)
        assert all(own[name].equal(tensor) for name, tensor in other.items()) == same, split


def test_images_of_another_shape() -> None:
    of = bound(8, shape=(3, 32, 32))
    with pytest.raises(
        BadInput, match=r"^statistics of `digits`: expected images of 3x32x32, .* got 1x8x8; `data=digits` "
    ):
        calibrate(fresh(of), of, "digits")


def test_a_network_without_statistics() -> None:
    of = bound(8)
    assert calibrate(nn.Conv2d(1, 1, 1), of, "digits") == 0
