"""Networks side by side train as each does alone: losses, gradients, weights, statistics; one that diverges disturbs no other."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from shortened import every, few
from torch import Tensor
from train_sample import recipe

from resbench.compiler.binding.network import Request, bind_network
from resbench.compiler.graph import BoundNetwork
from resbench.compiler.modules.stack import Stack, initialize_stack, single, stack
from resbench.data.dataset import Dataset
from resbench.data.registry import load
from resbench.language.graph.network import Use
from resbench.language.library.library import Library
from resbench.language.recipe.recipe import RecipeSpec
from resbench.language.yaml.node import Node, Plain
from resbench.ops.schema import table
from resbench.train.execution.layout import LAYOUTS, ExecutionOptions
from resbench.train.fit import Hooks, fit
from resbench.train.outcome import Epoch, Outcome

SEEDS = (4, 0, 9)
LIBRARY = Library(table())
# of every way to stack: groups, folded pure ops, draws, numbers for all channels, normalised and bounded kernels
UNITS = (
    "full_preactivation",
    "dropout_shortcut",
    "fixup",
    "shufflenet_v2",
    "squeeze_excitation",
    "revnet",
    "convnext",
    "iresnet",
)
BRANCH = """unit: branch
nodes:
  f: {from: x, ops: [drop_branch: {rate: 0.4, scale: eval, ops: [conv3x3: {stride: $stride}, bn, relu]}]}
  h: {from: x, ops: [shortcut, group_norm: {groups: 2}]}
  y: {from: [h, f], ops: [add, relu]}
boundary: {layers: 1}
"""


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load("digits")


def bound(unit: str, library: Library = LIBRARY) -> BoundNetwork:
    layers = library.unit(unit).boundary.layers.value
    network = Use("resnet_cifar", {"depth": Node(3 * int(str(layers)) + 2), "width": Node(4)}, Node("resnet_cifar"))
    return bind_network(Request(network, Use(unit, {}, Node(unit)), (1, 8, 8), 10), library)


def trained(net: BoundNetwork, spec: RecipeSpec, data: Dataset, seeds: tuple[int, ...]) -> tuple[list[Outcome], Stack]:
    """In float64."""
    stacked = stack(net, len(seeds))
    initialize_stack(stacked, seeds, spec.init)
    stacked.network.double()
    return fit(stacked, spec, data, seeds, Hooks(lambda seed, epoch: None)), stacked


def difference(a: Tensor, b: Tensor) -> float:
    """Relative to the largest value, or to 1."""
    return float((a - b).abs().max() / b.abs().max().clamp(min=1.0)) if a.numel() else 0.0


def compare(net: BoundNetwork, spec: RecipeSpec, data: Dataset, tolerance: float) -> None:
    outcomes, stacked = trained(net, spec, data, SEEDS)
    for number, seed in enumerate(SEEDS):
        (alone,), one = trained(net, spec, data, (seed,))
        for a, b in zip(outcomes[number].epochs, alone.epochs, strict=True):
            assert a.train_loss == pytest.approx(b.train_loss, rel=tolerance)
            assert a.val_loss == pytest.approx(b.val_loss, rel=tolerance)
            assert (a.train_error_pct, a.val_error_pct) == pytest.approx((b.train_error_pct, b.val_error_pct), abs=1e-4)
        for name, tensor in one.state(0).items():
            if tensor.is_floating_point():
                assert difference(stacked.state(number)[name], tensor) <= tolerance, name


@pytest.fixture
def in_float64(monkeypatch: pytest.MonkeyPatch) -> None:
    """Images too."""
    from resbench.data import split

    plain = split._normalised

    def double(data: Dataset, name: str, device: torch.device | str) -> split.Split:
        return split.InMemorySplit(
            *((t.double() if t.is_floating_point() else t) for t in split.whole(plain(data, name, device)))
        )

    monkeypatch.setattr(split, "_normalised", double)


@pytest.mark.usefixtures("in_float64")
@pytest.mark.parametrize("unit", few([*UNITS, "branch"], ["squeeze_excitation", "branch"]))
def test_fifty_steps_are_those_of_each_alone(unit: str, digits: Dataset, tmp_path: Path) -> None:
    (tmp_path / "branch.yaml").write_text(BRANCH, "utf-8")
    changes: dict[str, Plain] = {"epochs": 3, "batch": 64, "augment": ["flip"], "lr": 0.02}  # 3 x 17 = 51 steps
    compare(bound(unit, Library(table(), tmp_path)), recipe(changes), digits, 1e-9)


@pytest.mark.usefixtures("in_float64")
@pytest.mark.parametrize("unit", every(4, UNITS))
def test_how_images_lie_in_memory_changes_no_number(unit: str, digits: Dataset) -> None:
    """Masks too are drawn in one order."""
    spec, found = recipe({"epochs": 1, "batch": 64, "lr": 0.02}), []
    for layout in LAYOUTS:
        stacked = stack(bound(unit), 2)
        initialize_stack(stacked, (0, 1), spec.init)
        stacked.network.double()
        outcomes = fit(stacked, spec, digits, (0, 1), Hooks(lambda seed, epoch: None), way=ExecutionOptions(layout))
        found.append([(e.train_loss, e.val_loss) for outcome in outcomes for e in outcome.epochs])
    for a, b in zip(*found, strict=True):
        assert a == pytest.approx(b, rel=1e-9)


@pytest.mark.usefixtures("in_float64")
def test_clipped_averaged_smoothed_and_cropped_they_are_too(digits: Dataset) -> None:
    changes: dict[str, Plain] = {
        "epochs": 2, "batch": 64, "clip_norm": 0.5, "average": {"decay": 0.9}, "label_smoothing": 0.1,
        "augment": [{"pad_crop": {"pad": 1}}, {"cutout": {"size": 3}}, "random_resized_crop"],
        "schedule": "cosine", "warmup": {"lr": 0.01, "for": {"epochs": 1}, "shape": "linear"}, "nesterov": True,
    }  # fmt: skip
    compare(bound("dropout_shortcut"), recipe(changes), digits, 1e-9)


def test_one_that_diverges_does_not_disturb_the_others(digits: Dataset) -> None:
    """The same bits as beside two that go well."""
    net, spec = bound("original"), recipe({"epochs": 3, "batch": 64})
    told: list[tuple[int, Epoch]] = []

    def run(broken: bool) -> list[Outcome]:
        stacked = stack(net, 3)
        initialize_stack(stacked, SEEDS, spec.init)
        if broken:
            stacked.state(1)["stages.0.units.0.f.conv1.weight"].fill_(math.inf)
        return fit(stacked, spec, digits, SEEDS, Hooks(lambda seed, epoch: told.append((seed, epoch))))

    well, beside = run(broken=False), run(broken=True)
    assert beside[1].status == "diverged"
    assert len(beside[1].epochs) == 1
    assert [seed for seed, _ in told[9:]] == [4, 0, 9, 4, 9, 4, 9]
    for number in (0, 2):
        assert [e.val_loss for e in beside[number].epochs] == [e.val_loss for e in well[number].epochs]
        assert beside[number].test_loss == well[number].test_loss


@pytest.mark.usefixtures("in_float64")
def test_all_that_diverge_end_the_training(digits: Dataset) -> None:
    outcomes, _ = trained(
        bound("original"), recipe({"epochs": 9, "batch": 64, "lr": 1e9, "warmup": None}), digits, (0, 1)
    )
    assert [outcome.status for outcome in outcomes] == ["diverged"] * 2
    assert max(len(outcome.epochs) for outcome in outcomes) < 9


def test_any_network_stands_alone() -> None:
    layer = torch.nn.Linear(2, 3)
    one = single(layer, {})
    assert {name: tensor.shape for name, tensor in one.state(0).items()} == {"weight": (3, 2), "bias": (3,)}
    assert one.one_by_one() == {}
