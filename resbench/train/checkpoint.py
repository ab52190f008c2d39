"""A training in progress -> bytes, and back: weights, statistics, momenta, averages, and the history of all epochs.

Random streams are not stored: each is named by seed and epoch. On a CPU a run that resumes from a checkpoint equals an
uninterrupted one, bit for bit.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pickle import UnpicklingError
from typing import Any

import torch

from resbench.language.recipe.execution import Every
from resbench.train.outcome import Epoch
from resbench.train.step import Training

Histories = list[list[Epoch]]
VERSION = 1
_UNREADABLE = (
    RuntimeError,
    ValueError,
    KeyError,
    TypeError,
    EOFError,
    UnpicklingError,
)  # the file is damaged, or of another network


@dataclass(slots=True)
class Checkpointer:
    """When checkpoints are due and where they go: `load` yields the newest first, `save` takes the epoch and bytes."""

    every: Every
    load: Callable[[], Iterator[bytes]]
    save: Callable[[int, bytes], None]
    last: float = field(default_factory=time.monotonic)

    def due(self, epoch: int) -> bool:
        if self.every.epochs is not None:
            return epoch % self.every.epochs == 0
        return time.monotonic() - self.last >= (self.every.seconds or 0)

    def keep(self, what: Training, epoch: int, histories: Histories, spent_s: float) -> None:
        """Save a checkpoint after an epoch. `spent_s`: wall time so far."""
        self.save(epoch, _bytes(what, epoch, histories, spent_s))
        self.last = time.monotonic()


def restore(what: Training, histories: Histories, contents: Iterator[bytes]) -> tuple[int, float]:
    """Load the first readable checkpoint. Return the number of epochs done and the seconds spent; (0, 0) if there is none."""
    for content in contents:
        try:
            return _restore(what, histories, content)
        except _UNREADABLE:
            continue
    return 0, 0.0


def _bytes(what: Training, epoch: int, histories: Histories, spent_s: float) -> bytes:
    buffer = io.BytesIO()
    average = what.average
    torch.save(
        {
            "version": VERSION,
            "epoch": epoch,
            "spent_s": spent_s,
            "network": what.stacked.network.state_dict(),
            "optimizer": what.optimizer.state_dict(),
            "average": None if average is None else {"steps": average.steps, "mean": average.mean},
            "histories": [[asdict(row) for row in history] for history in histories],
        },
        buffer,
    )
    return buffer.getvalue()


def _restore(what: Training, histories: Histories, content: bytes) -> tuple[int, float]:
    """Load one checkpoint; everything is checked before anything is changed."""
    network = what.stacked.network
    device = next(network.parameters()).device
    saved: dict[str, Any] = torch.load(io.BytesIO(content), map_location=device, weights_only=True)
    shapes = {name: tensor.shape for name, tensor in network.state_dict().items()}
    if saved["version"] != VERSION or {name: tensor.shape for name, tensor in saved["network"].items()} != shapes:
        raise ValueError("not of this network")
    read = [[Epoch(**row) for row in history] for history in saved["histories"]]
    if len(read) != len(histories) or (what.average is None) != (saved["average"] is None):
        raise ValueError("not of this training")
    what.optimizer.load_state_dict(saved["optimizer"])
    network.load_state_dict(saved["network"])
    if what.average is not None:
        what.average.steps = saved["average"]["steps"]
        for mean, tensor in zip(what.average.mean, saved["average"]["mean"], strict=True):
            mean.copy_(tensor)
    histories[:] = read
    return int(saved["epoch"]), float(saved["spent_s"])
