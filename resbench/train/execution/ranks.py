"""Processes started by torchrun -> ranks of one training: each trains a part of every batch, and results are reduced.

    torchrun --nproc-per-node 2 -m resbench study run STUDY

The process of rank 0 runs the study; the others follow it (workers/job.py). Without torchrun there is one rank, and these
functions do nothing.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

import torch
from torch import Tensor, distributed

from resbench.errors import BadInput
from resbench.random_streams import WHOLE, Shard

T = TypeVar("T")
PATIENCE = timedelta(days=2)  # the others wait while rank 0 plans; if one dies, torchrun ends all


@contextmanager
def joined(device: torch.device) -> Iterator[torch.device]:
    """Join the process group; inside, `shard` returns the part of this process. Yields its device: each process has its own GPU.

    Raises BadInput if one GPU is named for all.
    """
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        yield device
        return
    if device.type == "cuda":
        if device.index is not None:
            raise BadInput(f"--device {device}: expected cuda without a number, as each process has its own GPU")
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    distributed.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)
    try:
        yield device
        distributed.barrier()  # gloo may abort a process that leaves while another still communicates
    finally:
        gc.collect()  # a network wrapped for several processes refers to the group in a reference cycle
        distributed.destroy_process_group()


def started() -> int:
    """Return how many processes torchrun has started for one training, before they have joined."""
    return int(os.environ["WORLD_SIZE"]) if "TORCHELASTIC_RUN_ID" in os.environ else 1


def shard() -> Shard:
    if not (distributed.is_available() and distributed.is_initialized()):
        return WHOLE
    return Shard(distributed.get_rank(), distributed.get_world_size())


def beside() -> int:
    """Return how many processes of the training are on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1")) if shard().of > 1 else 1


def broadcast(value: T) -> T:
    """Return the value of rank 0 in every process."""
    if shard().of == 1:
        return value
    holder = [value]
    distributed.broadcast_object_list(holder, src=0)
    return holder[0]


def broadcast_iter(contents: Iterator[T]) -> Iterator[T]:
    """Return the items of rank 0's iterator in every process; a single process keeps its lazy iterator."""
    return contents if shard().of == 1 else iter(broadcast([*contents]))


def all_reduce_sum(tensor: Tensor) -> Tensor:
    """Sum a tensor over all processes, in place."""
    if shard().of > 1:
        distributed.all_reduce(tensor)
    return tensor


def anywhere(here: bool) -> bool:
    """Return whether `here` is true in any process."""
    return here if shard().of == 1 else bool(all_reduce_sum(torch.tensor(int(here))))


@torch.no_grad()
def sync_from_rank0(tensors: Iterable[Tensor]) -> None:
    """Overwrite the tensors with those of rank 0."""
    if shard().of > 1:
        for tensor in tensors:
            distributed.broadcast(tensor, src=0)


def own_batch(batch: int, devices: int | None) -> int:
    """Return the number of images of a batch per process. `devices`: the required number of processes, None for any.
    Raises BadInput if the number differs or does not divide the batch.
    """
    ranks = shard().of
    if devices is not None and devices != ranks:
        raise BadInput(
            f"devices: expected {devices} processes, as the recipe requires, got {ranks}; start it with "
            f"`torchrun --nproc-per-node {devices} -m resbench study run ...`"
        )
    if batch % ranks:
        raise BadInput(f"batch: expected a multiple of the {ranks} processes, got {batch}")
    return batch // ranks
