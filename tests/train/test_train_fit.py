"""The loop, held against one written by hand, and what it does with seeds, streams and the sealed test split."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import chain

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from train_sample import NUMBERS, Witness, flat_images, network, recipe, train

from resbench.compiler.modules.network import Network
from resbench.data.augment import AUGMENTATIONS
from resbench.data.dataset import Dataset
from resbench.data.registry import load
from resbench.data.split import normalised, whole
from resbench.language.recipe.recipe import RecipeSpec
from resbench.language.yaml.node import Plain
from resbench.random_streams import stream
from resbench.train.outcome import Epoch, Outcome

SHORT: dict[str, Plain] = {"epochs": 2, "batch": 64}


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load("digits")


def run(data: Dataset, spec: RecipeSpec, *, seed: int = 0, unit: str = "original") -> Outcome:
    net, numbers = network(unit, seed)
    return train(net, numbers, spec, data, seed)


def numbers_of(outcome: Outcome) -> object:
    """Everything but times."""
    return replace(outcome, train_s=0.0, wall_s=0.0, epochs=tuple(replace(e, train_s=0.0) for e in outcome.epochs))


class ByHand(nn.Module):
    """ResNet-8 of original units with option A, as plain PyTorch; its weights are copied from the built one."""

    def __init__(self, built: Network) -> None:
        super().__init__()
        weights = [p.detach().clone() for p in built.parameters()]
        assert [tuple(w.shape) for w in weights[:3]] == [(2, 1, 3, 3), (2,), (2,)]
        self.weights = nn.ParameterList(weights)

    def forward(self, x: Tensor) -> Tensor:
        left = list(self.weights)

        def conv_bn(z: Tensor, stride: int = 1) -> Tensor:
            z = F.conv2d(z, left.pop(0), stride=stride, padding=1)
            mean, var = z.mean((0, 2, 3), keepdim=True), z.var((0, 2, 3), unbiased=False, keepdim=True)
            gain, bias = left.pop(0)[:, None, None], left.pop(0)[:, None, None]
            return (z - mean) / torch.sqrt(var + 1e-5) * gain + bias

        x = torch.relu(conv_bn(x))
        for stride in (1, 2, 2):
            f = conv_bn(torch.relu(conv_bn(x, stride)))
            h = x[:, :, ::stride, ::stride]
            x = torch.relu(F.pad(h, (0, 0, 0, 0, 0, f.shape[1] - h.shape[1])) + f)
        logits: Tensor = x.mean((2, 3)) @ left.pop(0).T + left.pop(0)
        assert not left
        return logits


def test_a_loop_written_by_hand_gives_the_same_losses(digits: Dataset) -> None:
    """Own network, own BN, own SGD, own normalisation and learning rates, in float64; the data order is the stream's."""
    net, numbers = network("original", seed=3)
    hand = ByHand(net).double()
    outcome = train(net, numbers, recipe({**SHORT, "lr": 0.05}), digits, 3)

    index = digits.splits["train"]
    pixels = digits.images[index].double() / 255
    x, y = (pixels - pixels.mean()) / pixels.std(unbiased=False), digits.labels[index]
    momenta = [torch.zeros_like(w) for w in hand.parameters()]
    for epoch in (1, 2):
        order = torch.randperm(len(y), generator=torch.Generator().manual_seed(stream(3, epoch, "order")))
        losses, wrong = [], 0
        for step in range(17):
            lr = 0.01 if epoch == 1 else 0.005 if step < 9 else 0.0005
            chosen = order[64 * step : 64 * step + 64]
            logits = hand(x[chosen])
            loss = -torch.log_softmax(logits, 1)[range(64), y[chosen]].mean()
            gradients = torch.autograd.grad(loss, list(hand.parameters()))
            losses.append(loss.item())
            wrong += int((logits.argmax(1) != y[chosen]).sum())
            with torch.no_grad():
                for w, g, m in zip(hand.parameters(), gradients, momenta, strict=True):
                    m.mul_(0.9).add_(g + 1e-4 * w)
                    w.sub_(lr * m)
        row = outcome.epochs[epoch - 1]
        assert row.train_loss == pytest.approx(sum(losses) / 17, rel=2e-5)
        assert row.train_error_pct == pytest.approx(100 * wrong / (17 * 64), abs=100 * 2 / (17 * 64))
        assert row.lr == pytest.approx(lr, rel=1e-9)


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others(digits: Dataset) -> None:
    spec = recipe({"epochs": 1, "augment": ["flip"]})
    first, again, other = (run(digits, spec, seed=s, unit="dropout_shortcut") for s in (0, 0, 1))
    assert numbers_of(first) == numbers_of(again)
    assert first.epochs[0].train_loss != other.epochs[0].train_loss


def test_training_does_not_ask_the_global_stream_of_torch(digits: Dataset) -> None:
    spec = recipe({"epochs": 1, "augment": ["flip"]})
    torch.manual_seed(1)
    first = run(digits, spec, unit="dropout_shortcut")
    torch.manual_seed(2)
    state = torch.get_rng_state()
    assert numbers_of(run(digits, spec, unit="dropout_shortcut")) == numbers_of(first)
    assert torch.equal(torch.get_rng_state(), state)


def test_what_is_reported_as_the_epoch_goes_is_what_is_returned(digits: Dataset) -> None:
    told: list[Epoch] = []
    net, numbers = network("original")
    outcome = train(net, numbers, recipe(SHORT), digits, 0, told.append)
    assert outcome.epochs == tuple(told)
    assert [row.epoch for row in told] == [1, 2]
    assert outcome.train_s == sum(row.train_s for row in told)
    assert 0 < outcome.train_s <= outcome.wall_s


def seen_in_training(changes: dict[str, Plain], seed: int = 0) -> list[list[float]]:
    witness = Witness()
    train(witness, NUMBERS, recipe({"epochs": 2, "batch": 5, "lr": 1e-6, **changes}), flat_images(), seed)
    return [images for mode, images in witness.seen if mode == "train"]


def test_augmentation_does_not_move_the_order_of_the_data() -> None:
    plain, flipped = seen_in_training({}), seen_in_training({"augment": ["flip"]})
    assert plain == flipped
    assert len(plain) == 2 * 4
    assert sorted(chain(*plain[:4])) == sorted(chain(*plain[4:]))  # every image once an epoch ..
    assert plain[:4] != plain[4:]  # .. in another order
    assert plain != seen_in_training({}, seed=1)


def test_augmentation_is_drawn_from_a_stream_of_its_own() -> None:
    """Image i is dark on the left and i bright on the right; what is seen first tells whether it was flipped."""
    data = flat_images()
    data.images[:, :, :, :2] = 0
    witness, spec = Witness(), recipe({"epochs": 2, "batch": 20, "augment": ["flip"]})
    train(witness, NUMBERS, spec, data, 0)
    seen = [images for mode, images in witness.seen if mode == "train"]
    x, _ = whole(normalised(data, "train"))
    for epoch, images in enumerate(seen, start=1):
        order, own = (torch.Generator().manual_seed(stream(0, epoch, name)) for name in ("order", "augmentation"))
        expected = AUGMENTATIONS["flip"](x[torch.randperm(20, generator=order)], generators=[own])
        assert images == expected[:, 0, 0, 0].tolist()


def test_images_that_fill_no_batch_wait_for_the_next_epoch() -> None:
    seen = seen_in_training({"batch": 7})
    assert [len(batch) for batch in seen] == [7, 7, 7, 7]
    assert len(set(chain(*seen[:2]))) == 14


def masks(seed: int = 0, changes: dict[str, Plain] | None = None) -> dict[str, list[Tensor]]:
    witness = Witness()
    train(witness, NUMBERS, recipe({"epochs": 2, "batch": 20, **(changes or {})}), flat_images(), seed)
    return witness.masks


def test_masks_differ_by_epoch_op_and_seed_and_can_be_repeated() -> None:
    one, again, other, flipped = masks(), masks(), masks(seed=1), masks(changes={"augment": ["flip"]})
    assert all(torch.equal(a, b) for name in one for a, b in zip(one[name], again[name], strict=True))
    assert all(torch.equal(a, b) for name in one for a, b in zip(one[name], flipped[name], strict=True))
    different = [*one["first"], *one["second"], *other["first"], *other["second"]]
    assert len({tuple(mask.flatten().tolist()) for mask in different}) == 8


def test_a_rate_that_is_far_too_high_diverges_and_keeps_the_epochs_so_far(digits: Dataset) -> None:
    outcome = run(digits, recipe({"epochs": 5, "lr": 1e10}))
    assert outcome.status == "diverged"
    assert [row.epoch for row in outcome.epochs] == [1, 2]  # the first is the warm-up's
    assert math.isfinite(outcome.epochs[0].train_loss)
    assert outcome.test_error_pct is None
    assert outcome.test_loss is None


def test_chance_at_the_end_is_diverged_though_every_number_is_finite() -> None:
    witness = Witness()
    witness.weight.data[1] = 1.0  # brightness says nothing of the class: worse than a constant answer
    outcome = train(witness, NUMBERS, recipe({"epochs": 1, "batch": 5, "lr": 1e-9}), flat_images(), 0)
    assert outcome.status == "diverged"
    assert math.isfinite(outcome.epochs[-1].val_loss)


def test_one_that_learns_within_its_only_epoch_has_not_diverged(digits: Dataset) -> None:
    """Its mean loss over the epoch is worse than a constant predictor's, its loss at the end is better."""
    outcome = run(digits, recipe({"epochs": 1, "batch": 64}))
    assert outcome.epochs[0].train_loss > math.log(10)
    assert outcome.status == "complete"


def test_the_test_split_is_seen_once_at_the_end_and_by_no_run_that_diverged() -> None:
    seen: dict[str, list[bool]] = {}
    for status, labels in (("diverged", None), ("complete", (torch.arange(60) >= 20).long())):
        witness = Witness()
        witness.weight.data[1] = 1.0  # says whether an image is brighter than the mean of train, 19
        outcome = train(witness, NUMBERS, recipe({"epochs": 2, "batch": 5, "lr": 1e-9}), flat_images(labels), 0)
        assert outcome.status == status
        of_test = (40 - 19) / (399 / 3) ** 0.5  # the darkest image of test, normalised
        seen[status] = [max(images) > of_test - 0.01 for _, images in witness.seen]
    assert not any(seen["diverged"])
    assert seen["complete"] == [*[False] * (len(seen["complete"]) - 1), True]


def test_wrong_test_labels_change_the_test_numbers_alone(digits: Dataset) -> None:
    labels = digits.labels.clone()
    labels[digits.splits["test"]] = (labels[digits.splits["test"]] + 1) % 10
    spec = recipe({"epochs": 3})
    right, wrong = run(digits, spec), run(replace(digits, labels=labels), spec)
    assert right.status == wrong.status == "complete"
    assert [replace(e, train_s=0.0) for e in right.epochs] == [replace(e, train_s=0.0) for e in wrong.epochs]
    assert right.test_error_pct is not None
    assert wrong.test_error_pct is not None
    assert right.test_error_pct != wrong.test_error_pct
