"""This machine and process -> EnvironmentRecord: what a run ran on."""

from __future__ import annotations

import platform
import subprocess

import torch

from resbench import __version__
from resbench.plugins.provenance import in_use
from resbench.store.records import EnvironmentRecord
from resbench.train.execution.device import device_name, processor


def environment(device: torch.device, threads: int, *, tf32: bool = False) -> EnvironmentRecord:
    """Describe what a run runs on. `threads`: of torch, for one run. `tf32`: whether its recipe asks for it."""
    commit = _git("rev-parse", "HEAD")
    return EnvironmentRecord(
        package_version=__version__,
        git_commit=commit,
        git_dirty=None if commit is None else bool(_git("status", "--porcelain", "--untracked-files=no")),
        python=platform.python_version(),
        torch=torch.__version__,
        device=device_name(device),
        threads=threads,
        deterministic=device.type == "cpu" or torch.backends.cudnn.deterministic,
        tf32=tf32,
        plugins=in_use(),
        platform=platform.platform(),
        processor=processor(),
    )


def _git(*arguments: str) -> str | None:
    """Ask git of the current folder; None where it is no repository or there is no git."""
    try:
        result = subprocess.run(["git", *arguments], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return result.stdout.strip() if result.returncode == 0 else None
