"""Ranks beside the first of one training: they train what rank 0 trains, with their part of each batch, and keep nothing."""

from __future__ import annotations

from contextlib import suppress

import torch

from resbench.study.job import Task, job_of, train
from resbench.train.device import repeatable
from resbench.train.fit import Hooks
from resbench.train.plan import plan_from
from resbench.train.ranks import part, told


def dismiss() -> None:
    """Rank 0 has no more to do."""
    if part().of > 1:
        told(None)


def follow(device: torch.device) -> None:
    """Until rank 0 has no more to do. What is raised here ends this process, and torchrun the others."""
    repeatable(device)
    nothing: Task | None = None
    while (task := told(nothing)) is not None:
        with suppress(InterruptedError):  # rank 0 was told to stop
            train(job_of(task), task.seeds, plan_from(task.plan), device, Hooks(lambda seed, epoch: None))
