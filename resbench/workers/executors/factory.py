"""This process at work for a study: as which worker, how long, with which executor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from resbench.store.open import Engine
from resbench.store.queue.cells import LEASE_S
from resbench.store.records import WorkerRecord
from resbench.workers.config import Duty, Place, ask_for_a_token
from resbench.workers.events import Onlooker
from resbench.workers.executors.base import Executor
from resbench.workers.executors.in_process import HereExecutor
from resbench.workers.executors.local import LocalExecutor
from resbench.workers.heartbeat import Pulse
from resbench.workers.shutdown import Stop
from resbench.workers.trainer import Trainer

Where = Literal["local", "here", "ranks", "ray"]


@dataclass(frozen=True, slots=True)
class Shift:
    """`workers`: so many, whatever is planned; None: as planned. `place`: of Ray's slots. `max_cells`, `until`: as in Duty."""

    url: str
    record: WorkerRecord
    stop: Stop
    pulse: Pulse
    where: Where = "local"
    workers: int | None = None
    lease_s: float = LEASE_S
    context: str = "spawn"
    place: Place | None = None
    max_cells: int | None = None
    until: float | None = None

    def duty(self, study_id: int, trainers: Sequence[Trainer]) -> Duty:
        limits = (self.max_cells, self.until)
        return Duty(self.url, study_id, self.record, tuple(trainers), self.lease_s, *limits, context=self.context)

    def executor(self, engine: Engine, duty: Duty, onlooker: Onlooker) -> Executor:
        if self.where == "local":
            return LocalExecutor(engine, duty, self.pulse, onlooker, self.stop)
        if self.where == "ray":
            assert self.place is not None
            ask_for_a_token(self.place)
            from resbench.workers.executors.ray import RayExecutor  # an extra

            return RayExecutor(engine, duty, onlooker, self.stop, self.place)
        return HereExecutor(engine, duty, onlooker, self.stop, alone=self.where == "here")
