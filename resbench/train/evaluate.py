"""K networks side by side and images -> mean cross-entropy (nats) and error (percent) of each, in evaluation mode."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from resbench.data.split import Split, in_order
from resbench.errors import BadInput
from resbench.train.execution.layout import Layout, memory_format
from resbench.train.execution.ranks import all_reduce_sum, anywhere, shard

BATCH = 256
UNREADABLE = "another process of the training cannot read its images"


@dataclass(frozen=True, slots=True)
class Score:
    loss: float
    error_pct: float


@torch.no_grad()
def evaluate(network: nn.Module, split: Split, networks: int = 1, layout: Layout = "contiguous") -> list[Score]:
    """Score all networks on the same images; each rank scores its part of them. The network's mode is restored.

    Raises BadInput in every rank if one cannot read its part.
    """
    training = network.training
    network.eval()
    loss, wrong = torch.zeros(2, networks, device=split.labels.device)
    unread: BadInput | None = None
    try:
        for images, labels in in_order(split, BATCH, shard()):
            images = images.contiguous(memory_format=memory_format(layout))
            logits = network(images.repeat(1, networks, 1, 1))
            logits = torch.unflatten(
                logits.float() if logits.dtype == torch.bfloat16 else logits, 1, (networks, -1)
            ).transpose(1, 2)
            labels = labels[:, None].expand(-1, networks)
            loss += F.cross_entropy(logits, labels, reduction="none").sum(0)
            wrong += (logits.argmax(1) != labels).sum(0)
    except BadInput as error:
        unread = error
    network.train(training)
    if anywhere(unread is not None):  # else the other ranks would wait for the sums of this one
        raise unread or BadInput(UNREADABLE)
    loss, wrong = all_reduce_sum(torch.stack([loss, wrong]))
    n = len(split.labels)
    return [Score(a / n, 100 * b / n) for a, b in zip(loss.tolist(), wrong.tolist(), strict=True)]
