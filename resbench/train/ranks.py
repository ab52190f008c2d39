"""Processes that torchrun started -> ranks of one training: each has its part of every batch, and what they find is put together.

    torchrun --nproc-per-node 2 -m resbench study run STUDY

The process of rank 0 keeps the study; the others do what it tells them (study/follow.py). Without torchrun there is one rank, and
nothing here does anything.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch
from torch import Tensor, distributed, nn

from resbench.errors import BadInput
from resbench.seeds import WHOLE, Part

T = TypeVar("T")


@contextmanager
def joined() -> Iterator[Part]:
    """Meet the other processes; inside, `part` says which of them this is."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        yield WHOLE
        return
    distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield part()
    finally:
        distributed.destroy_process_group()


def part() -> Part:
    if not (distributed.is_available() and distributed.is_initialized()):
        return WHOLE
    return Part(distributed.get_rank(), distributed.get_world_size())


def beside() -> int:
    """How many of the processes are on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1")) if part().of > 1 else 1


def own_device(device: torch.device) -> torch.device:
    """Of several cards, each process on a machine has one."""
    if part().of > 1 and device.type == "cuda" and device.index is None:
        return torch.device("cuda", int(os.environ["LOCAL_RANK"]))
    return device


def told(value: T) -> T:
    """What rank 0 has, in every process."""
    if part().of == 1:
        return value
    holder = [value]
    distributed.broadcast_object_list(holder, src=0)
    return holder[0]


def shared(contents: Iterator[T]) -> Iterator[T]:
    """What rank 0 can read, in every process; read one by one where there is one process."""
    return contents if part().of == 1 else iter(told([*contents]))


def added(tensor: Tensor) -> Tensor:
    """The sum over all processes, in place."""
    if part().of > 1:
        distributed.all_reduce(tensor)
    return tensor


@torch.no_grad()
def agree(network: nn.Module) -> None:
    """Buffers become those of rank 0: without shared statistics each process has its own."""
    if part().of > 1:
        for buffer in network.buffers():
            distributed.broadcast(buffer, src=0)


def own_batch(batch: int, devices: int | None) -> int:
    """Images of a batch for each process. `devices`: how many there must be, None for any. Raises BadInput."""
    ranks = part().of
    if devices is not None and devices != ranks:
        raise BadInput(
            f"the recipe says devices: {devices}, and there {'is' if ranks == 1 else 'are'} {ranks}; start it with "
            f"`torchrun --nproc-per-node {devices} -m resbench study run ...`"
        )
    if batch % ranks:
        raise BadInput(f"a batch of {batch} cannot be dealt evenly to {ranks} processes")
    return batch // ranks
