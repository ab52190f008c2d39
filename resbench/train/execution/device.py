"""The device of a run: CUDA, else MPS, else CPU; and the facts on which the bits of its results depend."""

from __future__ import annotations

import os
import platform
from functools import cache
from pathlib import Path

import torch

CPUINFO = Path("/proc/cpuinfo")
LIMITS = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "MKL_ENABLE_INSTRUCTIONS", "MKL_CBWR")  # of libraries below torch


def best_device() -> torch.device:
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def repeatable(device: torch.device) -> None:
    """Make training on a device reproducible bit for bit: on CUDA, no algorithm is chosen by timing."""
    if device.type == "cuda":
        torch.backends.cudnn.benchmark = False
        torch.backends.cudnn.deterministic = True


def device_name(device: torch.device) -> str:
    """Return the name of the hardware, for the record of a run."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


@cache
def processor() -> str:
    """Return the CPU's name, the instruction set that torch's kernels use on it, and the limits that the environment sets for
    the libraries below torch.
    """
    limits = [f"{name}={os.environ[name]}" for name in LIMITS if name in os.environ]
    return ", ".join([_cpu_name(), f"torch with {torch.backends.cpu.get_cpu_capability()}", *limits])


def _cpu_name() -> str:
    """Return the CPU's name from /proc/cpuinfo, since on Linux `platform` knows only the architecture."""
    try:
        lines = CPUINFO.read_text("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith(("model name", "Model")))
    return next(named, "") or platform.processor() or platform.machine()
