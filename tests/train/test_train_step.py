"""What a step may do besides: smooth labels, clip by norm, average weights; each held against the formula."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from train_sample import recipe

from resbench.compiler.modules.stack import single
from resbench.language.yaml.node import Plain
from resbench.ops.convolution.linear import Linear
from resbench.train.schedule import learning_rates, length
from resbench.train.step import Training, step, training


def start(changes: dict[str, Plain]) -> tuple[Training, Linear]:
    layer = Linear(4, out=3)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    plain: dict[str, Plain] = {"momentum": 0.0, "weight_decay": 0.0}
    return training(single(layer, {}), recipe({**plain, **changes})), layer


X = torch.randn(8, 4, generator=torch.Generator().manual_seed(1))
Y = torch.arange(8)[None] % 3


def expected(layer: nn.Module, smoothing: float = 0.0) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Loss by hand, and gradients."""
    logs = torch.log_softmax(layer(X), 1)
    target = (1 - smoothing) * F.one_hot(Y[0], 3) + smoothing / 3
    loss = -(target * logs).sum(1).mean()
    return loss.detach(), list(torch.autograd.grad(loss, list(layer.parameters())))


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_labels_are_smoothed(smoothing: float) -> None:
    what, layer = start({"label_smoothing": smoothing})
    loss, gradients = expected(layer, smoothing)
    before = [p.detach().clone() for p in layer.parameters()]
    losses, wrong = step(what, 0.5, X, Y)
    assert float(losses) == pytest.approx(float(loss), rel=1e-6)
    assert 0 <= int(wrong) <= 8
    for p, old, gradient in zip(layer.parameters(), before, gradients, strict=True):
        assert torch.allclose(p, old - 0.5 * gradient, atol=1e-6)


@pytest.mark.parametrize(("limit", "clipped"), [(0.01, True), (100.0, False)])
def test_the_whole_gradient_is_clipped_by_its_norm(limit: float, clipped: bool) -> None:
    what, layer = start({"clip_norm": limit})
    _, gradients = expected(layer)
    norm = torch.cat([g.flatten() for g in gradients]).norm()
    before = torch.cat([p.detach().flatten() for p in layer.parameters()])
    step(what, 1.0, X, Y)
    moved = (torch.cat([p.detach().flatten() for p in layer.parameters()]) - before).norm()
    assert (float(norm) > limit) == clipped
    assert float(moved) == pytest.approx(min(limit, float(norm)), rel=1e-3)


def test_the_average_is_the_mean_that_the_formula_gives_and_the_weights_stay() -> None:
    what, layer = start({"average": {"decay": 0.5}})
    assert what.average is not None
    mean = layer.weight.detach().clone()
    for number in range(1, 6):
        step(what, 0.3, X, Y)
        decay = min(0.5, (1 + number) / (10 + number))
        mean = decay * mean + (1 - decay) * layer.weight.detach()
    live = layer.weight.detach().clone()
    with what.average.applied():
        assert torch.allclose(layer.weight, mean, atol=1e-6)
    assert torch.equal(layer.weight, live)


def rates(changes: dict[str, Plain]) -> list[float]:
    spec = recipe({"epochs": 5, "batch": 10, "lr": 1.0, "warmup": None, **changes})
    return learning_rates(spec, length(spec, 20))


def test_a_cosine_falls_from_full_height_to_its_end() -> None:
    found = rates({"schedule": {"cosine": {"end": 0.1}}})
    assert found[0] == 1.0
    assert found[-1] == pytest.approx(0.1)
    assert found[3] == pytest.approx(0.1 + 0.9 * (1 + torch.cos(torch.tensor(torch.pi / 3)).item()) / 2)
    assert found == sorted(found, reverse=True)


def test_a_line_falls_behind_a_warm_up_that_rises() -> None:
    warm: Plain = {"lr": 0.5, "for": {"iterations": 4}, "shape": "linear"}
    assert rates({"schedule": "linear", "warmup": warm}) == pytest.approx(
        [0.5, 0.625, 0.75, 0.875, 1.0, 0.8, 0.6, 0.4, 0.2, 0.0], abs=1e-12
    )


def test_bfloat16_trains_and_weights_stay_float32() -> None:
    what, layer = start({"precision": "bfloat16"})
    loss, _ = expected(layer)
    losses, _ = step(what, 0.1, X, Y)
    assert losses.dtype == layer.weight.dtype == torch.float32
    assert float(losses) == pytest.approx(float(loss), rel=0.03)
    assert float(losses) != float(loss)
