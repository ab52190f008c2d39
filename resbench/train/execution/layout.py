"""How a network is executed: the memory layout of images, named as in a recipe, and whether its parts are compiled."""

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


def set_layout(network: nn.Module, layout: Layout) -> None:
    """Convert the kernels to the layout of the images. Module.to would refuse those of K networks, which have five axes."""
    for tensor in (*network.parameters(), *network.buffers()):
        if tensor.dim() == 4:
            tensor.data = tensor.data.contiguous(memory_format=memory_format(layout))


def memory_format(layout: Layout) -> torch.memory_format:
    return torch.channels_last if layout == "channels_last" else torch.contiguous_format
