"""A training that is looked into: where its time goes, and how signal and gradient fare at each unit of its networks.

Timing writes two files a cell: where the time went (JSON), and a chrome trace of a few steps, which chrome://tracing and
ui.perfetto.dev open.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from os.path import lexists
from pathlib import Path
from typing import Any

import torch

from resbench import files
from resbench.compiler.modules.network import build
from resbench.compiler.modules.stack import Stack
from resbench.data.split import in_order, normalised
from resbench.errors import ResbenchError
from resbench.store.records import ProfileRecord
from resbench.theory.profile import IMAGES, profile
from resbench.train.clock import Clock
from resbench.workers.job import Job

ENDING, TRACE = ".profile.json", ".trace.json"


def timing_clock(
    device: torch.device, folder: Path, name: str, seeds: tuple[int, ...], note: Callable[[str], None]
) -> Clock:
    """Return a clock that writes to the folder under a free name; the same training once more gets a number behind.

    Args:
        device: Where the training runs.
        folder: Where the files go.
        name: The unit and the first digits of the training's key, so that no two have one file.
        seeds: The seeds of the training.
        note: Told what could not be written, which ends no training.
    """
    name = f"{name}-seeds-{'-'.join(map(str, seeds[:1] + seeds[1:][-1:]))}"
    names = (name if n == 1 else f"{name}-again-{n}" for n in count(1))
    free = next(name for name in names if not any(lexists(folder / f"{name}{end}") for end in (TRACE, ENDING)))
    return Clock(device, folder / f"{free}{TRACE}", note)


def write_timing(clock: Clock, unit: str, how: Mapping[str, Any]) -> None:
    """Write where the time of the training went, beside its trace. A failure is noted."""
    row = {"unit": unit, **how, "steps": clock.steps, "seconds": clock.close()}
    path = clock.trace.with_name(clock.trace.name.removesuffix(TRACE) + ENDING)
    try:
        files.write(path, json.dumps(row, indent=1).encode())
    except ResbenchError as error:
        clock.note(f"no profile was written: {error}; the training is not touched by it")


def read_timings(folder: Path, since: float) -> list[dict[str, Any]]:
    """Read the timing of every cell that was trained since then (seconds of the epoch), in the order of their names."""
    new = [path for path in sorted(folder.glob(f"*{ENDING}")) if path.stat().st_mtime >= since]
    return [json.loads(path.read_text("utf-8")) for path in new]


def signal_profiles(job: Job, stacked: Stack, seeds: Sequence[int], epoch: int) -> list[ProfileRecord]:
    """Profile each network of a stack on the first images of the training split, in float32. They are left as they are."""
    device = next(stacked.network.parameters()).device
    images, labels = next(in_order(normalised(job.data, "train", device), IMAGES))
    network = build(job.bound).to_empty(device=device)
    found = []
    for number, seed in enumerate(seeds):
        network.load_state_dict(stacked.state(number))
        for at in profile(job.bound, network, images, labels):
            numbers = (at.variance, at.gradient_norm, at.shortcut_pct, at.dead_pct)
            found.append(ProfileRecord(seed, epoch, at.unit, *numbers))
    if device.type == "cuda":
        torch.cuda.empty_cache()
    return found
