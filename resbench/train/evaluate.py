"""Network and images -> mean cross-entropy (nats) and error in percent, in evaluation mode."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

BATCH = 500


@dataclass(frozen=True, slots=True)
class Score:
    loss: float
    error_pct: float


@torch.no_grad()
def evaluate(network: nn.Module, x: Tensor, y: Tensor) -> Score:
    """Leaves the network in the mode it found it in."""
    training = network.training
    network.eval()
    loss = torch.zeros((), device=x.device)
    wrong = torch.zeros((), device=x.device)
    for images, labels in zip(torch.split(x, BATCH), torch.split(y, BATCH), strict=True):
        logits = network(images)
        loss += F.cross_entropy(logits, labels, reduction="sum")
        wrong += (logits.argmax(1) != labels).sum()
    network.train(training)
    return Score(float(loss) / len(y), 100 * float(wrong) / len(y))
