"""The result of one run: status, every epoch, final numbers.  Errors are in percent, losses in nats, times in s."""

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
    """The numbers of one epoch. `train_loss` and `train_error_pct` are means over the batches during training; `val_loss` and
    `val_error_pct` use the running statistics of norms. `recomputed_*` use statistics of the training images
    (train/statistics.py); they exist for epochs that decide: a run's last, rungs, and epochs at which runs may stop.
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
        """The loss by which the network is judged: recomputed if there is one."""
        return self.val_loss if self.recomputed_val_loss is None else self.recomputed_val_loss

    @property
    def judged_error_pct(self) -> float:
        return self.val_error_pct if self.recomputed_val_error_pct is None else self.recomputed_val_error_pct


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one network. Only a run that finished has test numbers; they are stored apart and never used for selection.

    `train_s` is the time of the training steps, `wall_s` that of everything from loading data to the test score; for K networks
    trained as one, each has a Kth of it. `untested`: why a complete run has no test numbers.
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
    of a float32 sum. The validation error is not used: with few images it is not informative.
    """
    return train_loss < constant_loss * (1 - ROUNDING)


def constant_loss(labels: Tensor, smoothing: float = 0.0) -> float:
    """Return the cross-entropy (nats) of the best constant prediction: the entropy of the labels, smoothed as in
    training. `labels`: int64 B, of the training images.

    >>> round(constant_loss(torch.tensor([0, 1, 1, 0])), 4)
    0.6931
    """
    counts = torch.bincount(labels).double()
    rates = (1 - smoothing) * counts / counts.sum() + smoothing / len(counts)
    return float(-torch.special.xlogy(rates, rates).sum())
