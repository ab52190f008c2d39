"""A cell that is trained with a clock -> two files: where its time went (JSON), and a chrome trace of a few steps.

Open the trace in chrome://tracing or ui.perfetto.dev.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from resbench.train.clock import Clock


@dataclass(frozen=True, slots=True)
class Machine:
    """What of it is used; `profile`: the folder for where the time of each cell went, None where nobody asks."""

    device: torch.device
    profile: Path | None = None


def clock(machine: Machine, unit: str, digest: str, seeds: tuple[int, ...]) -> Clock | None:
    if machine.profile is None:
        return None
    name = f"{unit}-{digest.partition('_')[2][:8]}-seeds-{'-'.join(map(str, seeds[:1] + seeds[1:][-1:]))}"
    return Clock(machine.device, machine.profile / f"{name}.trace.json")


def write(clock: Clock | None, unit: str, how: Mapping[str, Any]) -> None:
    if clock is None:
        return
    told = {"unit": unit, **how, "steps": clock.steps, "seconds": clock.close()}
    path = clock.trace.with_name(clock.trace.name.replace(".trace.json", ".json"))
    path.write_text(json.dumps(told, indent=1), "utf-8")


def read(folder: Path) -> list[dict[str, Any]]:
    """Of every cell, in the order of their names."""
    return [json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json")) if ".trace." not in path.name]
