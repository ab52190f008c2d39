"""Networks in training, side by side -> a profile of each (theory/profile.py), as records.  They are left as they are."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from resbench.compiler.modules.network import build
from resbench.compiler.modules.stack import Stack
from resbench.data.split import in_order, normalised
from resbench.store.records import ProfileRecord
from resbench.theory.profile import IMAGES, profile
from resbench.workers.job import Job


def profiles(task: Job, stacked: Stack, seeds: Sequence[int], epoch: int) -> list[ProfileRecord]:
    """On the first images of the training split, in float32."""
    device = next(stacked.network.parameters()).device
    images, labels = next(in_order(normalised(task.data, "train", device), IMAGES))
    network = build(task.bound).to_empty(device=device)
    found = []
    for number, seed in enumerate(seeds):
        network.load_state_dict(stacked.state(number))
        for at in profile(task.bound, network, images, labels):
            numbers = (at.variance, at.gradient_norm, at.shortcut_pct, at.dead_pct)
            found.append(ProfileRecord(seed, epoch, at.unit, *numbers))
    if device.type == "cuda":
        torch.cuda.empty_cache()
    return found
