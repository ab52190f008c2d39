"""How a network is run: how images lie in memory, by the names that a recipe uses, and whether its parts are compiled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

Layout = Literal["contiguous", "channels_last"]
LAYOUTS: tuple[Layout, ...] = ("contiguous", "channels_last")


@dataclass(frozen=True, slots=True)
class ExecutionOptions:
    layout: Layout = "contiguous"
    compiled: bool = False


DEFAULT = ExecutionOptions()


def lay(network: nn.Module, layout: Layout) -> None:
    """Put its kernels so that they go with such images. Module.to would refuse those of K networks, which have five axes."""
    for tensor in (*network.parameters(), *network.buffers()):
        if tensor.dim() == 4:
            tensor.data = tensor.data.contiguous(memory_format=memory_format(layout))


def memory_format(layout: Layout) -> torch.memory_format:
    return torch.channels_last if layout == "channels_last" else torch.contiguous_format
