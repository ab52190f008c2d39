"""What one run yields: its status, every epoch, the numbers at the end.  Errors in percent, losses in nats, times in s."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Status = Literal["complete", "diverged", "stopped"]


@dataclass(frozen=True, slots=True)
class Epoch:
    """`train_loss` and `train_error_pct` are means over the epoch's batches as they were trained on."""

    epoch: int
    lr: float
    train_loss: float
    train_error_pct: float
    val_loss: float
    val_error_pct: float
    train_s: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """Test numbers are there only for a run that came to its end; they are stored apart and nothing that chooses sees them.

    `train_s` is the time in training steps alone, `wall_s` everything from the data's way to the device to the test score; of K
    networks trained as one, each has the Kth part.
    """

    status: Status
    epochs: tuple[Epoch, ...]
    test_loss: float | None
    test_error_pct: float | None
    train_s: float
    wall_s: float


def is_finite(epoch: Epoch) -> bool:
    return math.isfinite(epoch.train_loss) and math.isfinite(epoch.val_loss)


def is_diverged(last: Epoch, labels: Tensor) -> bool:
    """A loss that is not finite, or a val error not better than chance by 2 binomial standard errors.

    Chance is always naming the most frequent class of the val labels.
    """
    if not is_finite(last):
        return True
    n = len(labels)
    chance = n - int(torch.bincount(labels).max())  # images wrong; whole numbers, so that the boundary is exact
    better = chance - round(last.val_error_pct * n / 100)
    return better < 0 or better**2 * n < 4 * chance * (n - chance)
