"""Weights of a file into a network: prefixes of wrappers come off, all or none is copied, and all that does not fit is named."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save
from torch import Tensor, nn

from resbench.compiler.modules.load_weights import fit, load_weights, without_prefix
from resbench.errors import WeightsError

WEIGHTS = {"weight": torch.arange(6.0).reshape(2, 3), "bias": torch.tensor([1.0, 2.0])}


def row() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2))


def renamed(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {prefix + name: tensor for name, tensor in state.items()}


@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "module._orig_mod.", "model.", "backbone.net."])
def test_a_prefix_of_all_names(prefix: str) -> None:
    network, state = row(), row().state_dict()
    fit(network, renamed(state, prefix), "it")
    assert all(network.state_dict()[name].equal(tensor) for name, tensor in state.items())


def test_what_averaged_model_saves() -> None:
    network, other = row(), row()
    fit(network, torch.optim.swa_utils.AveragedModel(other).state_dict(), "it")
    assert network[0].weight.equal(other[0].weight)


def test_a_prefix_that_the_network_has_itself() -> None:
    network = nn.Sequential(nn.Linear(3, 2))
    state = network.state_dict()
    assert without_prefix(state, state) is state
    assert set(without_prefix(renamed(state, "module."), state)) == set(state)


def test_a_prefix_comes_off_though_other_names_do_not_fit() -> None:
    state = renamed(row().state_dict(), "module.")
    state["module.head.weight"] = state.pop("module.3.weight")
    with pytest.raises(WeightsError) as caught:
        fit(row(), state, "x.pth", "do this")
    assert str(caught.value).split("\n") == [
        "x.pth: weights do not fit: expected the 9 tensors of the network, got 9, of which 8 fit; do this",
        "  not in the file, 1:", "    3.weight", "  in the file alone, 1:", "    head.weight",
    ]  # fmt: skip


def test_every_name_is_there_however_many() -> None:
    own, given = (nn.Sequential(*(nn.Linear(2, 2) for _ in range(100))) for _ in range(2))
    with pytest.raises(WeightsError) as caught:
        fit(own, {f"layer{name}": tensor for name, tensor in given.state_dict().items()}, "x.pth")
    lines = [line.strip() for line in str(caught.value).split("\n")]
    for name in own.state_dict():
        assert name in lines
        assert f"layer{name}" in lines


def test_a_long_prefix_takes_no_time() -> None:
    """Only so many parts of it are tried."""
    with pytest.raises(WeightsError):
        fit(nn.Linear(3, 2), {"a." * 500_000 + "weight": WEIGHTS["weight"]}, "it")


def test_counters_that_a_file_of_old_lacks() -> None:
    network, state = row(), row().state_dict()
    fit(network, {name: tensor for name, tensor in state.items() if "num_batches" not in name}, "it")
    assert network[0].weight.equal(state["0.weight"])


@pytest.mark.parametrize("kind", [torch.complex64, torch.int64, torch.bool])
def test_numbers_of_another_kind_are_not_made_to_fit(kind: torch.dtype, tmp_path: Path) -> None:
    network, path = nn.Linear(3, 2), tmp_path / "x.safetensors"
    before = network.weight.detach().clone()
    path.write_bytes(save(WEIGHTS | {"bias": torch.zeros(2).to(kind)}))
    with pytest.raises(
        WeightsError,
        match=rf"x\.safetensors: .*of which 1 fit\n  of another kind, 1:\n    bias: the numbers are {kind} in",
    ) as caught:
        load_weights(network, path)
    assert str(caught.value).endswith("in the file, torch.float32 in the network")
    assert network.weight.equal(before)
    path.write_bytes(save({name: tensor.half() for name, tensor in WEIGHTS.items()}))
    load_weights(network, path)
    assert network.weight.equal(WEIGHTS["weight"])


def test_another_shape_changes_nothing() -> None:
    network = nn.Linear(3, 2)
    before = network.bias.detach().clone()
    with pytest.raises(WeightsError, match=r"weight: the shape is \(2, 4\) in the file, \(2, 3\) in the network"):
        fit(network, WEIGHTS | {"weight": torch.zeros(2, 4)}, "it")
    assert network.bias.equal(before)


def test_names_in_a_file_are_shown_and_not_obeyed(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(save(WEIGHTS | {"\x1b[31m" + "a" * 5000: torch.zeros(1), "two\nlines": torch.zeros(1)}))
    with pytest.raises(WeightsError) as caught:
        load_weights(nn.Linear(3, 2), path)
    lines = str(caught.value).split("\n")[2:]
    assert lines[0].startswith("    \\x1b[31maaa")
    assert lines[0].endswith("aaa...")
    assert lines[1:] == ["    two\\x0alines"]
    assert len(str(caught.value)) < 1000
