"""The records of the store: frozen dataclasses, one for each kind of row.  No SQL here, and no torch.

The names of fields are those of columns. Digests are computed where the objects are made; only an environment's is computed here.
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
)  # a run that was stopped at a rung may only be continued from there
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
    """The environment of a run.

    Attributes:
        plugins: the version of each plugin.
        git_commit, git_dirty: None outside a repository.
        processor: the CPU and the instructions that torch's kernels used, on which the last bits of results depend; None in rows
            of an older version.
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
        values = {key: value for key, value in asdict(self).items() if key != "processor" or value is not None}
        return sha256(canonical_json(values).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class StudyRow:
    """A study in the database; `spec` is JSON text."""

    id: int
    name: str
    spec: str
    digest: str
    created_at: str
    updated_at: str


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """A point of a study's search space. `params` maps each choice to the label of its value."""

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
    """An epoch, counted from 1; a number that was not measured, or is not finite, is None. `recomputed_*` use statistics of norms
    that were recomputed on the training images, where a search chose or a study evaluated by the epoch.
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
    """The signal and the gradient at one unit of the network, in one run, after `epoch` epochs."""

    seed: int
    epoch: int
    unit: int
    variance: float | None
    gradient_norm: float | None
    shortcut_pct: float | None
    dead_pct: float | None


@dataclass(frozen=True, slots=True)
class TestScore:
    __test__ = False  # not a test class of pytest's

    test_error_pct: float | None
    test_loss: float | None


@dataclass(frozen=True, slots=True)
class WeightsRecord:
    """The digest and the size of a file of weights."""

    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class RunRecord:
    """The identity of a run (the first four fields) and its numbers. Raises ValueError for impossible values.

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
    """A run in the database, without its epochs and test score."""

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
    """Return the number, or None unless it is finite: SQLite would store inf but not nan, Postgres both.

    >>> finite(float("nan")), finite(2.5)
    (None, 2.5)
    """
    return float(number) if number is not None and math.isfinite(number) else None


def canonical_json(value: object) -> str:
    """Return JSON in canonical form: sorted keys, no spaces.

    >>> canonical_json({"b": [1.5, None], "a": "ä"})
    '{"a":"ä","b":[1.5,null]}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def now() -> str:
    """Return the time in UTC in the format of the tables, such as 2026-11-23T19:21:51Z."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Cell:
    """The work that one worker claims: missing seeds of an architecture, recipe and data set. `token` is that of the claim."""

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
    def judges(self) -> bool:
        """Whether its runs are evaluation runs of its study; false where a search chooses by them."""
        return bool(self.plan.get("judges", True))


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of an attempt at a cell. `reached` is the total number of epochs that its seeds had completed."""

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
    """A process that trains cells of a study. `boot` and `born` tell it from other processes with the same number."""

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
    """A worker in the database; `unseen_s` is the number of seconds since it was last seen."""

    worker: WorkerRecord
    started_at: str
    ended_at: str | None
    unseen_s: float


@dataclass(frozen=True, slots=True)
class Lease:
    """The lease of a role. `token` tells it from earlier and later leases."""

    name: str
    holder: str
    token: int


def cause(error: str | None) -> str:
    """Return the message of a failure: of an exception's trace, the lines after the frames.

    >>> cause("Traceback (most recent call last):\\n  File \\"a.py\\", line 1\\n    1 / 0\\nZeroDivisionError: by zero\\n")
    'ZeroDivisionError: by zero'
    """
    lines = (error or "").rstrip().split("\n")
    frames = [i for i, line in enumerate(lines) if line.startswith("  ")] if lines[0].startswith("Traceback") else []
    return "\n".join(lines[frames[-1] + 1 :] if frames else lines)
