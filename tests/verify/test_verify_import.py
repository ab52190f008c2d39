"""`net import-weights` of files as people have them: state dicts, checkpoints, of wrapped networks; and of another network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from command_line import Rb
from safetensors.torch import load_file
from torch import nn

from resbench.verify import reference

WORDS = ("net", "import-weights", "resnet_cifar", "unit=plain", "depth=8", "width=2", "--against", "torchvision:any")


def source(seed: int = 0) -> nn.Module:
    """A network that is laid out as ours, under names of its own."""
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    for before, after, stride in ((3, 2, 1), (2, 2, 1), (2, 2, 1), (2, 4, 2), (4, 4, 1), (4, 8, 2), (8, 8, 1)):
        layers += [nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 10))


@pytest.fixture(autouse=True)
def small_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "reference", lambda name, classes, arguments: source())


@pytest.mark.parametrize("holder", [None, "model", "state_dict"])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_checkpoint(prefix: str, holder: str | None, rb: Rb, tmp_path: Path) -> None:
    state = source(1).state_dict()
    held: dict[str, Any] = {prefix + name: tensor for name, tensor in state.items()}
    if holder is not None:
        held = {holder: held, "optimizer": {"state": {}, "param_groups": []}, "epoch": 90}
    torch.save(held, tmp_path / "x.pth")
    said = rb(*WORDS, "--weights", "x.pth", "-o", "ours.safetensors")
    assert (said.status, said.out) == (0, "ours.safetensors: 37 tensors of torchvision:any (x.pth)\n")
    ours = load_file(tmp_path / "ours.safetensors")
    assert ours["stem.conv1.weight"].equal(state["0.weight"])
    assert ours["head.linear1.bias"].equal(state["23.bias"])


def test_what_does_not_fit_is_named_on_both_sides(rb: Rb, tmp_path: Path) -> None:
    state = {f"module.layers.{name}": tensor for name, tensor in source().state_dict().items()}
    for number in range(0, 21, 3):
        state[f"module.layers.conv_of_this_layer_{number}.weight"] = state.pop(f"module.layers.{number}.weight")
    state["module.layers.23.bias"] = torch.zeros(1000)
    torch.save(state, tmp_path / "x.pth")
    said = rb(*WORDS, "--weights", "x.pth", "-o", "ours.safetensors")
    assert (said.status, list(tmp_path.iterdir())) == (2, [tmp_path / "x.pth"])
    assert said.err.splitlines() == [
        "x.pth: weights do not fit: expected the 44 tensors of the network, got 44, of which 36 fit; they must be those of "
        "torchvision:any with 10 classes",
        "  not in the file, 7:", *(f"    {number}.weight" for number in range(0, 21, 3)),
        "  in the file alone, 7:", *(f"    conv_of_this_layer_{number}.weight" for number in range(0, 21, 3)),
        "  of another kind, 1:", "    23.bias: the shape is (1000,) in the file, (10,) in the network",
    ]  # fmt: skip
