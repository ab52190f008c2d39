"""What a worker is to do, and which limit of it was reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from resbench.store.cells import LEASE_S
from resbench.store.work_records import WorkerRecord
from resbench.study.trainer import Trainer

Limit = Literal["signal", "time", "cells"]  # --drain-on, --time-limit, --max-cells of `resbench worker`


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
