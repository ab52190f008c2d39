"""What one run yields: its status, every epoch, the numbers at the end.  Errors in percent, losses in nats, times in s."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Status = Literal["complete", "diverged", "stopped"]
ROUNDING = 1e-6  # relative


@dataclass(frozen=True, slots=True)
class Epoch:
    """`train_loss` and `train_error_pct` are means over the epoch's batches as they were trained on; `val_loss` and
    `val_error_pct` are by the running statistics of norms. `recomputed_*` are by statistics of the training images
    (train/statistics.py), where something is chosen or judged by the epoch: at a run's end, at a rung, where runs are stopped.
    """

    epoch: int
    lr: float
    train_loss: float
    train_error_pct: float
    val_loss: float
    val_error_pct: float
    train_s: float
    recomputed_val_loss: float | None = None
    recomputed_val_error_pct: float | None = None

    @property
    def judged_loss(self) -> float:
        """What the network is judged by."""
        return self.val_loss if self.recomputed_val_loss is None else self.recomputed_val_loss

    @property
    def judged_error_pct(self) -> float:
        return self.val_error_pct if self.recomputed_val_error_pct is None else self.recomputed_val_error_pct


@dataclass(frozen=True, slots=True)
class Outcome:
    """Test numbers are there only for a run that came to its end; they are stored apart and nothing that chooses sees them.

    `train_s` is the time in training steps alone, `wall_s` everything from the data's way to the device to the test score; of K
    networks trained as one, each has the Kth part. `untested`: why a complete run has no test numbers.
    """

    status: Status
    epochs: tuple[Epoch, ...]
    test_loss: float | None
    test_error_pct: float | None
    train_s: float
    wall_s: float
    untested: str = ""


def is_finite(epoch: Epoch) -> bool:
    return math.isfinite(epoch.train_loss) and math.isfinite(epoch.judged_loss)


def has_learned(train_loss: float, constant_loss: float) -> bool:
    """Return whether a loss over the training images is below that of a constant predictor, by more than the rounding
    of a float32 sum. The validation error does not count: with few images it cannot tell.
    """
    return train_loss < constant_loss * (1 - ROUNDING)


def constant_loss(labels: Tensor, smoothing: float = 0.0) -> float:
    """Cross-entropy (nats) of the best prediction that is the same for every image: the entropy of the labels, smoothed as in
    training. `labels`: int64 B, of the training images.

    >>> round(constant_loss(torch.tensor([0, 1, 1, 0])), 4)
    0.6931
    """
    counts = torch.bincount(labels).double()
    rates = (1 - smoothing) * counts / counts.sum() + smoothing / len(counts)
    return float(-torch.special.xlogy(rates, rates).sum())
