"""When a run has learned nothing: by its losses, never by an error that few images cannot tell from chance."""

from __future__ import annotations

from math import inf, log, nan

import pytest
import torch

from resbench.train.outcome import Epoch, constant_loss, has_learned, is_finite

TWO = log(2)


def ended(train_loss: float = 0.1, val_loss: float = 1.0, recomputed: float | None = None) -> Epoch:
    return Epoch(1, 0.1, train_loss, 50.0, val_loss, 50.0, 0.1, recomputed, 50.0)


def labels(*counts: int) -> torch.Tensor:
    return torch.cat([torch.full((count,), label) for label, count in enumerate(counts)])


@pytest.mark.parametrize("loss", [nan, inf, -inf])
def test_a_loss_that_is_not_finite_is_told(loss: float) -> None:
    assert not is_finite(ended(train_loss=loss))
    assert not is_finite(ended(val_loss=loss))
    assert not is_finite(ended(recomputed=loss))
    assert is_finite(ended())


def test_a_running_loss_that_is_not_finite_does_not_count_where_the_network_is_judged_by_another() -> None:
    assert is_finite(ended(val_loss=inf, recomputed=0.5))


def test_a_network_has_learned_where_it_is_better_than_a_constant_predictor() -> None:
    assert not has_learned(TWO, TWO)
    assert not has_learned(TWO * (1 - 1e-7), TWO)  # a float32's rounding
    assert has_learned(TWO * (1 - 1e-5), TWO)
    assert not has_learned(nan, TWO)


@pytest.mark.parametrize(
    ("counts", "smoothing", "loss"),
    [
        ((3, 3), 0.0, log(2)),
        ((22, 22), 0.0, log(2)),
        ((300, 30), 0.0, -(10 / 11) * log(10 / 11) - (1 / 11) * log(1 / 11)),
        ((10,) * 10, 0.0, log(10)),
        ((10, 0, 10), 0.0, log(2)),  # a class that no image has
        ((10, 10), 0.2, log(2)),
        ((30, 10), 0.2, -0.7 * log(0.7) - 0.3 * log(0.3)),
    ],
)
def test_the_constant_predictor_names_each_class_as_often_as_it_comes(
    counts: tuple[int, ...], smoothing: float, loss: float
) -> None:
    assert constant_loss(labels(*counts), smoothing) == pytest.approx(loss, abs=1e-12)
