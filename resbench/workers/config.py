"""What a worker is to do, and which limit of it was reached."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from resbench.store.queue.cells import LEASE_S
from resbench.store.records import WorkerRecord
from resbench.workers.trainer import Trainer

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


@dataclass(frozen=True, slots=True)
class Place:
    """`address`: of a cluster that runs; None starts one on this machine. `cpus`, `gpus`: of each slot; gpus may be a part."""

    address: str | None = None
    cpus: float = 1.0
    gpus: float = 0.0


def ask_for_a_token(place: Place) -> None:
    """A cluster of this machine's own lets in who has its token. Ray reads this when it is imported, and so do its processes."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if place.address is None and "RAY_AUTH_MODE" not in os.environ:
        os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(32))
