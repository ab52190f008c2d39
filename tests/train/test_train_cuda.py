"""On CUDA: stacked seeds are the solo runs, compiled units too; a run that goes on gives the same bits. Else skipped."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from test_train_stack import bound
from train_sample import recipe

from resbench.compiler.modules.network import recompute
from resbench.compiler.modules.stack import initialize_stack, stack
from resbench.data.dataset import Dataset
from resbench.data.registry import load
from resbench.language.recipe.execution import Every
from resbench.language.yaml.node import Plain
from resbench.train.checkpoint import Checkpointer
from resbench.train.execution.device import repeatable
from resbench.train.execution.layout import DEFAULT, ExecutionOptions
from resbench.train.execution.plan_timing import measure
from resbench.train.fit import Hooks, fit
from resbench.train.outcome import Epoch, Outcome

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
CUDA = torch.device("cuda")
AUGMENT: list[Plain] = [{"pad_crop": {"pad": 1}}, {"flip": {}}, {"cutout": {"size": 2}}, {"random_resized_crop": {}}]


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load("digits")


@pytest.fixture(autouse=True)
def _repeatable() -> None:
    repeatable(CUDA)


def trained(
    unit: str, changes: dict[str, Plain], data: Dataset, seeds: tuple[int, ...], hooks: Hooks | None = None,
    way: ExecutionOptions = DEFAULT
) -> tuple[list[Outcome], list[dict[str, torch.Tensor]]]:  # fmt: skip
    spec = recipe({"epochs": 2, "lr": 0.01, **changes})
    stacked = stack(bound(unit), len(seeds))
    initialize_stack(stacked, seeds, spec.init)
    stacked.network.to(CUDA)
    if spec.plan.recompute:
        recompute(stacked.network)
    outcomes = fit(stacked, spec, data, seeds, hooks or Hooks(lambda seed, epoch: None), way=way)
    return outcomes, [{k: v.clone() for k, v in stacked.state(i).items()} for i in range(len(seeds))]


@pytest.mark.parametrize(
    "unit", ["full_preactivation", "dropout_shortcut", "squeeze_excitation", "convnext", "iresnet"]
)
def test_stacked_is_solo(unit: str, digits: Dataset) -> None:
    together, _ = trained(unit, {"augment": AUGMENT}, digits, (0, 1, 2))
    for seed in (0, 1, 2):
        (alone,), _ = trained(unit, {"augment": AUGMENT}, digits, (seed,))
        assert together[seed].epochs[0].train_loss == pytest.approx(alone.epochs[0].train_loss, rel=1e-3)


@pytest.mark.parametrize("precision", ["float32", "tf32", "bfloat16"])
def test_it_learns_at_every_precision(precision: str, digits: Dataset) -> None:
    (outcome,), _ = trained("full_preactivation", {"precision": precision, "epochs": 6, "lr": 0.05}, digits, (0,))
    assert outcome.epochs[-1].train_loss < outcome.epochs[0].train_loss
    assert torch.backends.cudnn.allow_tf32 == (precision == "tf32")


@pytest.mark.parametrize("way", [ExecutionOptions("channels_last"), ExecutionOptions("channels_last", compiled=True)])
def test_how_it_is_run_changes_rounding_alone(way: ExecutionOptions, digits: Dataset) -> None:
    (plain,), _ = trained("full_preactivation", {}, digits, (0,))
    (other,), _ = trained("full_preactivation", {}, digits, (0,), way=way)
    assert other.epochs[0].train_loss == pytest.approx(plain.epochs[0].train_loss, rel=1e-3)


def test_twice_gives_the_same_bits_with_and_without_recomputing(digits: Dataset) -> None:
    first, second = (trained("original", {"augment": AUGMENT}, digits, (0, 1))[1] for _ in range(2))
    again = trained("original", {"augment": AUGMENT, "plan": {"recompute": True}}, digits, (0, 1))[1]
    for a, b, c in zip(first, second, again, strict=True):
        assert all(torch.equal(a[name], b[name]) and torch.equal(a[name], c[name]) for name in a)


def test_a_run_that_goes_on_gives_the_same_bits(digits: Dataset) -> None:
    _, whole = trained("dropout_shortcut", {"augment": AUGMENT}, digits, (0, 1))
    kept: list[bytes] = []

    def stop(seed: int, epoch: Epoch) -> None:
        raise InterruptedError

    def load_kept() -> Iterator[bytes]:
        yield from reversed(kept)

    keeper = Checkpointer(Every(epochs=1), load_kept, lambda epoch, content: kept.append(content))
    with pytest.raises(InterruptedError):
        trained("dropout_shortcut", {"augment": AUGMENT}, digits, (0, 1), Hooks(stop, keeper))
    _, resumed = trained("dropout_shortcut", {"augment": AUGMENT}, digits, (0, 1), Hooks(lambda s, e: None, keeper))
    assert kept
    for a, b in zip(whole, resumed, strict=True):
        assert all(torch.equal(a[name], b[name]) for name in a)


def test_a_plan_is_measured_and_says_why_it_is_not_compiled() -> None:
    plan = measure(bound("full_preactivation"), recipe(), 4, 10_000, CUDA, cores=1)
    assert plan.width in (1, 2, 4)
    assert plan.compiled or plan.not_compiled or any(each.compiled for each in plan.measured)
