"""What a coordinator needs of the machine it runs on: prices, plans, and who trains.  Imports no torch by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from resbench.measure.capacity import Capacity
from resbench.search.point import Point
from resbench.store.open import Engine
from resbench.store.records import DataRecord
from resbench.workers.trainer import Trainer

Missing = Mapping[int, tuple[Point, tuple[int, ...]]]  # of each trial, by id: what is to be trained, with which seeds


@dataclass(frozen=True, slots=True)
class Planned:
    """`blocks`: of each trial, by id, the seeds of each cell; `plans`: how they are trained.

    `workers`: processes of this machine; 0 is this one itself.
    """

    blocks: Mapping[int, Sequence[tuple[int, ...]]]
    plans: Mapping[int, Mapping[str, Any]]
    workers: int
    notes: Sequence[str] = ()


class Means(Protocol):
    """`folder`: of checkpoints."""

    @property
    def data(self) -> DataRecord: ...

    @property
    def device(self) -> str: ...

    @property
    def folder(self) -> Path: ...

    def memory_mib(self, point: Point) -> float | None:
        """What training keeps of one image for its backward pass."""

    def refuse(self, missing: Missing) -> None:
        """Raises BadInput for what cannot be trained here, if it is trained here."""

    def memory(self) -> Capacity | None:
        """What the devices of its workers have; None where the system does not tell, or others train."""

    def plan(self, engine: Engine, missing: Missing) -> Planned:
        """Takes seconds where the recipe asks for a measurement."""

    def slots(self) -> int:
        """How many workers fit on this machine, where nothing is measured."""

    def trainers(self, study_id: int) -> Sequence[Trainer]: ...
