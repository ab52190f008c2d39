"""When a run counts as diverged, to the exact boundary."""

from __future__ import annotations

from math import inf, nan

import pytest
import torch

from resbench.train.outcome import Epoch, is_diverged


def ended(val_error_pct: float, train_loss: float = 1.0, val_loss: float = 1.0) -> Epoch:
    return Epoch(1, 0.1, train_loss, 50.0, val_loss, val_error_pct, 0.1)


def labels(*counts: int) -> torch.Tensor:
    return torch.cat([torch.full((count,), label) for label, count in enumerate(counts)])


@pytest.mark.parametrize(
    ("counts", "most_wrong"),
    [
        ((50, 50), 40),  # chance is 50 wrong, a standard error is 5: exactly on the boundary
        ((10, 90), 4),  # naming the most frequent class alone is 10 wrong, a standard error is 3: exactly, too
        ((100, 100, 100, 100), 282),  # 300 wrong, 8.66: 17.3 fewer are needed, so 18
        ((34, 34, 34, 34, 34, 34, 34, 34, 34, 34), 294),  # the digits: 306 wrong, 5.53
    ],
)
def test_the_boundary_is_two_standard_errors_better_than_chance(counts: tuple[int, ...], most_wrong: int) -> None:
    y = labels(*counts)
    assert not is_diverged(ended(100 * most_wrong / len(y)), y)
    assert is_diverged(ended(100 * (most_wrong + 1) / len(y)), y)
    assert not is_diverged(ended(0.0), y)
    assert is_diverged(ended(100.0), y)


@pytest.mark.parametrize("loss", [nan, inf, -inf])
def test_a_loss_that_is_not_finite_is_diverged_however_good_the_error(loss: float) -> None:
    assert is_diverged(ended(0.0, train_loss=loss), labels(50, 50))
    assert is_diverged(ended(0.0, val_loss=loss), labels(50, 50))
    assert not is_diverged(ended(0.0), labels(50, 50))


def test_a_class_that_val_does_not_have_changes_nothing() -> None:
    assert is_diverged(ended(41.0), labels(50, 0, 50))
    assert not is_diverged(ended(39.0), labels(50, 0, 50))
