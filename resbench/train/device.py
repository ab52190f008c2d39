"""The device a run goes to: CUDA, then MPS, then CPU."""

from __future__ import annotations

import torch


def best_device() -> torch.device:
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def repeatable(device: torch.device) -> None:
    """Make training on a device give the same bits every time: on CUDA no algorithm chosen by a race."""
    if device.type == "cuda":
        torch.backends.cudnn.benchmark = False
        torch.backends.cudnn.deterministic = True


def device_name(device: torch.device) -> str:
    """What the hardware is called, for the record of a run."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
