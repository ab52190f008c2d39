"""What the store takes and gives of work under way: cells, attempts, workers, roles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Cell:
    """What one worker claims: the seeds still missing of one architecture, recipe and data set. `token`: of this claim."""

    id: int
    trial_id: int
    architecture: str
    recipe: str
    data: str
    seeds: tuple[int, ...]
    status: str
    claimed_by: str | None
    claimed_at: str | None
    finished_at: str | None
    error: str | None
    token: int
    lease_until: float | None
    tags: tuple[str, ...]
    plan: Mapping[str, Any]

    @property
    def upto(self) -> int | None:
        """The epoch at which its runs are stopped; None: they come to their end."""
        return self.plan.get("upto")

    @property
    def judges(self) -> bool:
        """Whether the ranking of its study rests on its runs; false where a search chooses by them."""
        return bool(self.plan.get("judges", True))


@dataclass(frozen=True, slots=True)
class Ending:
    """How an attempt at a cell ended. `reached`: epochs that its seeds had behind them, all together."""

    outcome: str
    kind: str | None = None
    error: str | None = None
    reached: int = 0


@dataclass(frozen=True, slots=True)
class Attempt:
    cell_id: int
    token: int
    worker: str
    started_at: str
    ended_at: str | None
    outcome: str
    kind: str | None
    error: str | None
    reached: int


@dataclass(frozen=True, slots=True)
class WorkerRecord:
    """A process that trains cells of a study. `boot` and `born` tell its number from other processes' of the same number."""

    name: str
    study: str
    host: str
    boot: str
    pid: int
    born: str
    device: str
    slots: int
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """A worker as it stands; `unseen_s`: seconds since it was last heard of."""

    worker: WorkerRecord
    started_at: str
    ended_at: str | None
    unseen_s: float


@dataclass(frozen=True, slots=True)
class Lease:
    """A role that was taken. `token` tells this holding from those before and after."""

    name: str
    holder: str
    token: int


def cause(error: str | None) -> str:
    """What a failure says of itself: of an exception's trace, what stands behind the frames.

    >>> cause("Traceback (most recent call last):\\n  File \\"a.py\\", line 1\\n    1 / 0\\nZeroDivisionError: by zero\\n")
    'ZeroDivisionError: by zero'
    """
    lines = (error or "").rstrip().split("\n")
    frames = [i for i, line in enumerate(lines) if line.startswith("  ")] if lines[0].startswith("Traceback") else []
    return "\n".join(lines[frames[-1] + 1 :] if frames else lines)
