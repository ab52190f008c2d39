"""A training that is interrupted and goes on equals one that was not, bit for bit; a damaged checkpoint is passed over."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import torch
from shortened import few
from test_train_stack import bound
from torch import Tensor
from train_sample import recipe

from resbench.compiler.modules.stack import initialize_stack, stack
from resbench.data.dataset import Dataset
from resbench.data.registry import load
from resbench.language.recipe.execution import Every
from resbench.language.recipe.recipe import RecipeSpec
from resbench.language.yaml.node import Plain
from resbench.train.checkpoint import Checkpointer
from resbench.train.fit import Hooks, fit
from resbench.train.outcome import Epoch, Outcome

ALL: dict[str, Plain] = {
    "epochs": 5, "batch": 64, "augment": [{"pad_crop": {"pad": 1}}, "flip"], "nesterov": True, "average": {"decay": 0.9},
    "clip_norm": 1.0, "schedule": "cosine", "label_smoothing": 0.1,
}  # fmt: skip


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load("digits")


class Kept:
    """Two checkpoints, in memory."""

    def __init__(self) -> None:
        self.held: list[bytes] = []

    def save(self, epoch: int, content: bytes) -> None:
        self.held = [content, *self.held][:2]

    def load(self) -> Iterator[bytes]:
        yield from self.held


def run(
    unit: str, spec: RecipeSpec, data: Dataset, seeds: tuple[int, ...], kept: Kept, told: Callable[[int, Epoch], None]
) -> tuple[list[Outcome], dict[str, Tensor]]:
    stacked = stack(bound(unit), len(seeds))
    initialize_stack(stacked, seeds, spec.init)
    outcomes = fit(stacked, spec, data, seeds, Hooks(told, Checkpointer(spec.checkpoint_every, kept.load, kept.save)))
    return outcomes, stacked.network.state_dict()


def numbers(outcomes: list[Outcome]) -> list[Outcome]:
    return [
        replace(o, train_s=0.0, wall_s=0.0, epochs=tuple(replace(e, train_s=0.0) for e in o.epochs)) for o in outcomes
    ]


@pytest.mark.parametrize("seeds", [pytest.param((3,), marks=pytest.mark.long), (3, 1, 8)], ids=["alone", "stacked"])
@pytest.mark.parametrize("unit", few(["dropout_shortcut", "full_preactivation", "iresnet"], ["full_preactivation"]))
def test_interrupted_anywhere_it_is_the_same_to_the_last_bit(
    unit: str, seeds: tuple[int, ...], digits: Dataset
) -> None:
    """Stopped as by a worker that is told to (kept at that epoch), or killed (what was kept before is gone on from)."""
    spec = recipe({**ALL, "checkpoint_every": {"epochs": 2}})
    whole, weights = run(unit, spec, digits, seeds, Kept(), lambda seed, epoch: None)
    chance = random.Random(f"{unit} {seeds}")
    for error in (InterruptedError, KeyboardInterrupt):
        kept, stops, seen = Kept(), sorted(chance.sample(range(1, 6), 2)), []

        def told(
            seed: int,
            epoch: Epoch,
            stops: list[int] = stops,
            seen: list[int] = seen,
            error: type[BaseException] = error,
        ) -> None:
            seen.append(epoch.epoch)
            if stops and seed == seeds[-1] and epoch.epoch >= stops[0]:
                stops.pop(0)
                raise error

        outcomes = None
        while outcomes is None:
            try:
                outcomes, again = run(unit, spec, digits, seeds, kept, told)
            except error:
                continue
        assert numbers(outcomes) == numbers(whole)
        assert all(torch.equal(again[name], tensor) for name, tensor in weights.items())
        lost = len(seen) - 5 * len(seeds)
        assert lost <= (0 if error is InterruptedError else 2 * 2 * len(seeds)), "at most one interval is done again"


def test_a_checkpoint_that_cannot_be_read_gives_way_to_the_one_before(digits: Dataset) -> None:
    spec = recipe({**ALL, "epochs": 4, "checkpoint_every": {"epochs": 1}})
    kept = Kept()
    whole, _ = run("original", spec, digits, (0,), kept, lambda seed, epoch: None)
    assert len(kept.held) == 2
    epochs: list[int] = []
    for held, first in ((kept.held, 4), ([b"nonsense", kept.held[1]], 3), ([b"", kept.held[0][:-40]], 1)):
        kept.held = list(held)
        epochs.clear()
        again, _ = run("original", spec, digits, (0,), kept, lambda seed, epoch: epochs.append(epoch.epoch))
        assert epochs == list(range(first, 5))
        assert numbers(again) == numbers(whole)


def test_a_checkpoint_of_another_network_is_not_taken(digits: Dataset) -> None:
    spec, kept = recipe({"epochs": 2, "checkpoint_every": {"epochs": 1}}), Kept()
    run("original", spec, digits, (0,), kept, lambda seed, epoch: None)
    epochs: list[int] = []
    run("full_preactivation", spec, digits, (0,), kept, lambda seed, epoch: epochs.append(epoch.epoch))
    assert epochs == [1, 2]


def test_when_one_is_due() -> None:
    def nothing() -> Iterator[bytes]:
        yield from ()

    every = Checkpointer(Every(epochs=3), nothing, lambda epoch, content: None)
    assert [epoch for epoch in range(1, 10) if every.due(epoch)] == [3, 6, 9]
    assert Checkpointer(Every(seconds=1e-9), nothing, lambda epoch, content: None).due(1)
    assert not Checkpointer(Every(seconds=1e9), nothing, lambda epoch, content: None).due(1)
