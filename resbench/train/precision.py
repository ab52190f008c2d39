"""A recipe's precision -> the context in which a network runs: float32 as it is, bfloat16 for convolutions and products alone."""

from __future__ import annotations

from typing import Literal

import torch


def autocast(device: torch.device, precision: Literal["float32", "bfloat16"]) -> torch.autocast:
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16")
