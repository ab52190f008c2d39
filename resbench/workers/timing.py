"""A cell that is trained with a clock -> two files: where its time went (JSON), and a chrome trace of a few steps.

Open the trace in chrome://tracing or ui.perfetto.dev.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from os.path import lexists
from pathlib import Path
from typing import Any

import torch

from resbench import files
from resbench.errors import ResbenchError
from resbench.train.clock import Clock

ENDING, TRACE = ".profile.json", ".trace.json"


@dataclass(frozen=True, slots=True)
class Machine:
    """What of it is used; `profile`: the folder for where the time of each cell went, None where nobody asks."""

    device: torch.device
    profile: Path | None = None


def clock(machine: Machine, unit: str, key: str, seeds: tuple[int, ...], note: Callable[[str], None]) -> Clock | None:
    """Return a clock where one is wanted; `note` gets what could not be written, which ends no training.

    `key`: of the training, so that no two have one file. The same training once more gets names with a number behind.
    """
    if machine.profile is None:
        return None
    name = f"{unit}-{key[:8]}-seeds-{'-'.join(map(str, seeds[:1] + seeds[1:][-1:]))}"
    names = (name if n == 1 else f"{name}-again-{n}" for n in count(1))
    free = next(name for name in names if not any(lexists(machine.profile / f"{name}{end}") for end in (TRACE, ENDING)))
    return Clock(machine.device, machine.profile / f"{free}{TRACE}", note)


def write(clock: Clock | None, unit: str, how: Mapping[str, Any]) -> None:
    if clock is None:
        return
    told = {"unit": unit, **how, "steps": clock.steps, "seconds": clock.close()}
    path = clock.trace.with_name(clock.trace.name.removesuffix(TRACE) + ENDING)
    try:
        files.write(path, json.dumps(told, indent=1).encode())
    except ResbenchError as error:
        clock.note(f"no profile was written: {error}; the training is not touched by it")


def read(folder: Path, since: float) -> list[dict[str, Any]]:
    """Of every cell that was trained since then (seconds of the epoch), in the order of their names."""
    new = [path for path in sorted(folder.glob(f"*{ENDING}")) if path.stat().st_mtime >= since]
    return [json.loads(path.read_text("utf-8")) for path in new]
