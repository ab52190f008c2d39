"""Processes that torchrun started -> ranks of one training: each has its part of every batch, and what they find is put together.

    torchrun --nproc-per-node 2 -m resbench study run STUDY

The process of rank 0 keeps the study; the others do what it tells them (workers/job.py). Without torchrun there is one rank, and
nothing here does anything.
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
PATIENCE = timedelta(days=2)  # the others wait while rank 0 plans; where one dies, torchrun ends all


@contextmanager
def joined(device: torch.device) -> Iterator[torch.device]:
    """Meet the other processes; inside, `shard` says which of them this is. Yields the device of this one: a card each.

    Raises BadInput where one card is named for all.
    """
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        yield device
        return
    if device.type == "cuda":
        if device.index is not None:
            raise BadInput(f"--device {device}: several processes have a card each; `--device cuda` deals them out")
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    distributed.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)
    try:
        yield device
        distributed.barrier()  # who leaves while another still talks may be aborted by gloo's threads
    finally:
        gc.collect()  # a network wrapped for several processes holds the group in a cycle
        distributed.destroy_process_group()


def started() -> int:
    """Return how many processes torchrun has started for one training, before they have met."""
    return int(os.environ["WORLD_SIZE"]) if "TORCHELASTIC_RUN_ID" in os.environ else 1


def shard() -> Shard:
    if not (distributed.is_available() and distributed.is_initialized()):
        return WHOLE
    return Shard(distributed.get_rank(), distributed.get_world_size())


def beside() -> int:
    """Return how many of the processes are on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1")) if shard().of > 1 else 1


def broadcast(value: T) -> T:
    """Return what rank 0 has, in every process."""
    if shard().of == 1:
        return value
    holder = [value]
    distributed.broadcast_object_list(holder, src=0)
    return holder[0]


def broadcast_iter(contents: Iterator[T]) -> Iterator[T]:
    """Return what rank 0 can read, in every process; read one by one where there is one process."""
    return contents if shard().of == 1 else iter(broadcast([*contents]))


def all_reduce_sum(tensor: Tensor) -> Tensor:
    """Return the sum over all processes, in place."""
    if shard().of > 1:
        distributed.all_reduce(tensor)
    return tensor


def anywhere(here: bool) -> bool:
    """Return whether it is so in any process."""
    return here if shard().of == 1 else bool(all_reduce_sum(torch.tensor(int(here))))


@torch.no_grad()
def sync_from_rank0(tensors: Iterable[Tensor]) -> None:
    """They become those of rank 0."""
    if shard().of > 1:
        for tensor in tensors:
            distributed.broadcast(tensor, src=0)


def own_batch(batch: int, devices: int | None) -> int:
    """Return images of a batch for each process. `devices`: how many there must be, None for any. Raises BadInput."""
    ranks = shard().of
    if devices is not None and devices != ranks:
        raise BadInput(
            f"the recipe says devices: {devices}, and there {'is' if ranks == 1 else 'are'} {ranks}; start it with "
            f"`torchrun --nproc-per-node {devices} -m resbench study run ...`"
        )
    if batch % ranks:
        raise BadInput(f"a batch of {batch} cannot be dealt evenly to {ranks} processes")
    return batch // ranks
