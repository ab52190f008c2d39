"""Ranks beside the first of one training: they train what rank 0 trains, with their part of each batch, and keep nothing."""

from __future__ import annotations

import sys

import torch

from resbench.study.job import Task, job_of, train
from resbench.train.fit import Hooks
from resbench.train.plan import plan_from
from resbench.train.ranks import part, told


def dismiss() -> None:
    """Rank 0 has no more to do."""
    if part().of > 1:
        told(None)


def follow(device: torch.device) -> None:
    """Until rank 0 has no more to do. What fails here fails there too, where it is told."""
    nothing: Task | None = None
    while (task := told(nothing)) is not None:
        try:
            train(job_of(task), task.seeds, plan_from(task.plan), device, Hooks(lambda seed, epoch: None))
        except InterruptedError:
            continue
        except Exception as error:
            print(f"a rank that follows: {type(error).__name__}: {error}", file=sys.stderr)
