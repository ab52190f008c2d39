"""What a worker is to do, and which limit of it was reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from resbench.store.cells import LEASE_S
from resbench.store.work_records import WorkerRecord
from resbench.study.trainer import Trainer

# --drain-on, --time-limit, --max-cells of `resbench worker`; "tags": one of these, where what is left asks for tags it lacks.
Limit = Literal["signal", "time", "cells", "tags"]


@dataclass(frozen=True, slots=True)
class Duty:
    """`trainers`: one for each slot, or for as many as there are devices. `max_cells`, `until` (by time.monotonic):
    after which it takes no more cells. `context`: how its children start, in multiprocessing's words.
    """

    url: str
    study_id: int
    record: WorkerRecord
    trainers: Sequence[Trainer]
    lease_s: float = LEASE_S
    max_cells: int | None = None
    until: float | None = None
    context: str = "spawn"
