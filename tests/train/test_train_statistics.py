"""Statistics of norms made anew from training images: right, put back, and blind to the momentum."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from train_sample import flat_images, network, recipe, train

from resbench.compiler.modules.stack import single
from resbench.data.dataset import Dataset
from resbench.data.registry import load
from resbench.data.split import normalised
from resbench.ops.normalization.bn import BatchNorm
from resbench.ops.stochastic.dropout import Dropout
from resbench.train import statistics
from resbench.train.evaluate import evaluate
from resbench.train.execution.layout import LAYOUTS
from resbench.train.fit import Hooks, fit
from resbench.train.outcome import Outcome
from resbench.train.statistics import norms_of, recomputed


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load("digits")


class Normed(nn.Module):
    """A norm of the pixels, behind what would disturb it in training."""

    def __init__(self) -> None:
        super().__init__()
        self.drop, self.norm = Dropout(rate=0.9), BatchNorm(1)
        nn.init.ones_(self.norm.weight)
        nn.init.zeros_(self.norm.bias)
        self.norm.running_mean.fill_(7.0)
        self.norm.running_var.fill_(5.0)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.drop(x))[:, :, 0, 0]


def state(net: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in net.state_dict().items()}


@pytest.mark.parametrize("batch", [2, 7, 256])
def test_they_are_the_mean_and_variance_of_all_images_and_are_put_back(
    batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics, "BATCH", batch)
    net, split = Normed(), normalised(flat_images(), "train")
    pixels = torch.cat(list(split.batches([torch.arange(20)])))
    before = state(net)
    with recomputed(net, split, 1, "contiguous"):
        assert net.norm.running_mean.item() == pytest.approx(pixels.mean().item(), abs=1e-6)
        assert net.norm.running_var.item() == pytest.approx(pixels.var().item(), rel=1e-5)
        assert (net.training, net.norm.momentum) == (True, 0.1)
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())
    with recomputed(net, split, 1, "contiguous", keep=True):
        pass
    assert net.norm.running_mean.item() == pytest.approx(pixels.mean().item(), abs=1e-6)


def test_no_image_is_alone_in_a_batch_and_a_large_split_is_thinned_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    split = normalised(flat_images(), "train")
    monkeypatch.setattr(statistics, "BATCH", 19)
    assert [len(images) for images in statistics._images(split)] == [10, 10]
    monkeypatch.setattr(statistics, "MOST_IMAGES", 3)
    (some,) = statistics._images(split)
    whole = next(iter(split.batches([torch.tensor([0, 9, 19])])))
    assert torch.equal(some, whole)


def test_a_network_without_norms_costs_nothing() -> None:
    class Refusing(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            raise AssertionError("nobody needs it")

    with recomputed(Refusing(), normalised(flat_images(), "train"), 1, "contiguous"):
        pass


def run(
    data: Dataset, changes: dict[str, object], momentum: float = 0.1, seed: int = 0
) -> tuple[Outcome, dict[str, Tensor]]:
    net, numbers = network("original", seed)
    for norm in norms_of(net):
        norm.momentum = momentum
    return train(net, numbers, recipe({"epochs": 3, **changes}), data, seed), state(net)


def test_the_momentum_of_norms_changes_no_judgement_and_no_weight(digits: Dataset) -> None:
    """0.01 leaves the weights alone, and made a good network a bad one."""
    (usual, weights), (slow, same) = (run(digits, {}, momentum) for momentum in (0.1, 0.01))
    assert all(
        torch.equal(weights[name], same[name]) for name in weights
    )  # the statistics too: they are kept at the end
    assert usual.epochs[-1].judged_error_pct == slow.epochs[-1].judged_error_pct
    assert usual.test_error_pct == slow.test_error_pct
    assert slow.epochs[-1].val_error_pct > usual.epochs[-1].judged_error_pct + 5
    assert all(epoch.recomputed_val_error_pct is None for epoch in usual.epochs[:-1])


def test_the_papers_protocol_is_there_for_whoever_asks(digits: Dataset) -> None:
    (new, _), (old, _) = (run(digits, {"statistics": how}) for how in ("recomputed", "running"))
    assert [replace(e, train_s=0.0) for e in old.epochs[:-1]] == [replace(e, train_s=0.0) for e in new.epochs[:-1]]
    assert old.epochs[-1].recomputed_val_error_pct is None
    assert old.epochs[-1].judged_error_pct == old.epochs[-1].val_error_pct == new.epochs[-1].val_error_pct
    assert recipe({"statistics": "running"}).digest != recipe().digest


def test_a_score_in_between_disturbs_nothing(digits: Dataset) -> None:
    """A rung's score is one; a run that has none goes on to the same bits."""
    net, numbers = network("original")
    hooks = Hooks(lambda seed, epoch: None, selects=lambda epoch: epoch == 2)
    (outcome,) = fit(single(net, numbers), recipe({"epochs": 4}), digits, (0,), hooks)
    plain, weights = run(digits, {"epochs": 4})
    assert outcome.epochs[1].recomputed_val_error_pct is not None
    assert [
        replace(e, train_s=0.0, recomputed_val_loss=None, recomputed_val_error_pct=None) for e in outcome.epochs
    ] == [replace(e, train_s=0.0, recomputed_val_loss=None, recomputed_val_error_pct=None) for e in plain.epochs]
    assert all(torch.equal(tensor, weights[name]) for name, tensor in net.state_dict().items())


@pytest.mark.parametrize("layout", LAYOUTS)
def test_averaged_weights_are_judged_with_statistics_of_their_own(digits: Dataset, layout: str) -> None:
    outcome, _ = run(digits, {"average": {"decay": 0.9}})
    net, numbers = network("original")
    assert outcome.epochs[-1].recomputed_val_error_pct is not None
    train(net, numbers, recipe({"epochs": 1}), digits, 0)
    split = normalised(digits, "train")
    with recomputed(net, split, 1, layout):  # type: ignore[arg-type]
        (score,) = evaluate(net, split, 1, layout)  # type: ignore[arg-type]
    assert score.error_pct <= 100
