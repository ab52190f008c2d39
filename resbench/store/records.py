"""What the store takes and gives: frozen records, one per thing a row tells of.  No SQL here, and no torch.

Names of fields are names of columns. Digests are made by who makes the thing; only an environment's is made here.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

TERMINAL_STATUSES = ("complete", "diverged")  # never trained again, never rewritten
TRAINED_STATUSES = (
    *TERMINAL_STATUSES,
    "stopped",
)  # a run stopped at a rung may go on from there, and from nowhere else
STATUSES = (*TRAINED_STATUSES, "failed")
_LARGEST_SEED = 2**63 - 1


@dataclass(frozen=True, slots=True)
class ArchitectureRecord:
    digest: str
    network: str
    unit: str
    spec: str
    params: int
    depth: int | None = None


@dataclass(frozen=True, slots=True)
class RecipeRecord:
    digest: str
    name: str
    spec: str


@dataclass(frozen=True, slots=True)
class DataRecord:
    digest: str
    name: str
    input_shape: str
    classes: int
    n_train: int
    n_val: int
    n_test: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    largest_class_error_pct: float | None = None


@dataclass(frozen=True, slots=True)
class EnvironmentRecord:
    """What a run ran on. `plugins` maps each plugin to its version; `git_*` are None outside a repository. `processor`: the CPU
    and the instructions that torch's kernels used, which the last bits depend on; None in rows of an older version.
    """

    package_version: str
    git_commit: str | None
    git_dirty: bool | None
    python: str
    torch: str
    device: str
    threads: int
    deterministic: bool
    tf32: bool
    plugins: Mapping[str, str]
    platform: str
    processor: str | None = None

    @property
    def digest(self) -> str:
        said = {key: value for key, value in asdict(self).items() if key != "processor" or value is not None}
        return sha256(canonical_json(said).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class StudyRow:
    """A study as it stands; `spec` is JSON text."""

    id: int
    name: str
    spec: str
    digest: str
    created_at: str
    updated_at: str


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """One point of a study's space. `params` maps each choice to the label of what was chosen."""

    number: int
    name: str
    unit: str
    network: str
    params: Mapping[str, Any]
    architecture: str
    recipe: str
    data: str
    active: bool = True


@dataclass(frozen=True, slots=True)
class TrialRow:
    id: int
    trial: TrialRecord


@dataclass(frozen=True, slots=True)
class EpochRecord:
    """One epoch, counted from 1; a number that was not taken, or is not finite, is None. `recomputed_*` are with statistics of
    norms made anew from the training images, where something was chosen or judged by the epoch.
    """

    epoch: int
    lr: float | None = None
    train_loss: float | None = None
    train_error_pct: float | None = None
    val_loss: float | None = None
    val_error_pct: float | None = None
    train_s: float | None = None
    recomputed_val_loss: float | None = None
    recomputed_val_error_pct: float | None = None


@dataclass(frozen=True, slots=True)
class ProfileRecord:
    """How signal and gradient fare at one unit of the network, in one run, after so many epochs."""

    seed: int
    epoch: int
    unit: int
    variance: float | None
    gradient_norm: float | None
    shortcut_pct: float | None
    dead_pct: float | None


@dataclass(frozen=True, slots=True)
class TestScore:
    __test__ = False  # no test class of pytest's

    test_error_pct: float | None
    test_loss: float | None


@dataclass(frozen=True, slots=True)
class WeightsRecord:
    """A file of weights that is written: its digest and its size."""

    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run's identity (the first four) and its numbers. Raises ValueError for what no run can be.

    >>> RunRecord("a", "r", "d", -1, "complete", "e", 5.0)
    Traceback (most recent call last):
    ValueError: seed -1: allowed are 0 to 9223372036854775807
    """

    architecture: str
    recipe: str
    data: str
    seed: int
    status: str
    environment: str
    val_error_pct: float | None = None
    val_loss: float | None = None
    train_loss: float | None = None
    epochs: int = 0
    train_s: float | None = None
    wall_s: float | None = None
    error: str | None = None
    history: Sequence[EpochRecord] = ()
    test_score: TestScore | None = None
    plan: Mapping[str, Any] | None = None
    weights: WeightsRecord | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.seed <= _LARGEST_SEED:
            raise ValueError(f"seed {self.seed}: allowed are 0 to {_LARGEST_SEED}")
        if self.status not in STATUSES:
            raise ValueError(f"status {self.status!r}: allowed are {', '.join(STATUSES)}")
        if self.status == "complete" and finite(self.val_error_pct) is None:
            raise ValueError(f"a complete run has a finite val_error_pct, not {self.val_error_pct}")


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run as it stands in the database, without its epochs and test score."""

    id: int
    architecture: str
    recipe: str
    data: str
    seed: int
    status: str
    val_error_pct: float | None
    val_loss: float | None
    train_loss: float | None
    epochs: int
    train_s: float | None
    wall_s: float | None
    environment: str
    created_at: str
    error: str | None


def finite(number: float | None) -> float | None:
    """Return None for what is no finite number: SQLite would keep inf but not nan, Postgres both.

    >>> finite(float("nan")), finite(2.5)
    (None, 2.5)
    """
    return float(number) if number is not None and math.isfinite(number) else None


def canonical_json(value: object) -> str:
    """
    >>> canonical_json({"b": [1.5, None], "a": "ä"})
    '{"a":"ä","b":[1.5,null]}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def now() -> str:
    """Return the time in UTC as the tables hold it, such as 2026-11-23T19:21:51Z."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


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
    """Return what a failure says of itself: of an exception's trace, what stands behind the frames.

    >>> cause("Traceback (most recent call last):\\n  File \\"a.py\\", line 1\\n    1 / 0\\nZeroDivisionError: by zero\\n")
    'ZeroDivisionError: by zero'
    """
    lines = (error or "").rstrip().split("\n")
    frames = [i for i, line in enumerate(lines) if line.startswith("  ")] if lines[0].startswith("Traceback") else []
    return "\n".join(lines[frames[-1] + 1 :] if frames else lines)
