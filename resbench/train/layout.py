"""How images lie in memory, by the names that a recipe uses."""

from __future__ import annotations

from typing import Literal

import torch

Layout = Literal["contiguous", "channels_last"]
LAYOUTS: tuple[Layout, ...] = ("contiguous", "channels_last")


def memory_format(layout: Layout) -> torch.memory_format:
    return torch.channels_last if layout == "channels_last" else torch.contiguous_format
