"""What a worker is to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from resbench.store.cells import LEASE_S
from resbench.store.work_records import WorkerRecord
from resbench.study.trainer import Trainer


@dataclass(frozen=True, slots=True)
class Duty:
    """`trainers`: one for each slot, or for as many as there are devices. `max_cells`, `time_s`: after which it takes no more
    cells. `context`: how its children start, in multiprocessing's words.
    """

    url: str
    study_id: int
    record: WorkerRecord
    trainers: Sequence[Trainer]
    lease_s: float = LEASE_S
    max_cells: int | None = None
    time_s: float | None = None
    context: str = "spawn"
