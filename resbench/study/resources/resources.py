"""What a coordinator needs of the machine it runs on: prices, plans, and who trains.  Imports no torch by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from resbench.measure.capacity import Capacity
from resbench.search.point import Point
from resbench.store.open import Engine
from resbench.store.records import DataRecord
from resbench.workers.cell_plan import CellPlan
from resbench.workers.trainer import Trainer

Missing = Mapping[
    int, tuple[Point, tuple[int, ...]]
]  # of each trial, by its id: what is to be trained, with which seeds


@dataclass(frozen=True, slots=True)
class CellSchedule:
    """How the missing runs of a stage are trained.

    Attributes:
        plans: Of each trial, by its id.
        workers: Processes of this machine; 0 is this one itself.
        notes: What a person should know.
    """

    plans: Mapping[int, CellPlan]
    workers: int
    notes: Sequence[str] = ()


class Resources(Protocol):
    """The machine of a coordinator. `folder`: of checkpoints and weights."""

    @property
    def data(self) -> DataRecord: ...

    @property
    def device(self) -> str: ...

    @property
    def folder(self) -> Path: ...

    def memory_mib(self, point: Point) -> float | None:
        """Return what training keeps of one image for its backward pass."""

    def refuse(self, missing: Missing) -> None:
        """Raise BadInput for what cannot be trained here, if it is trained here."""

    def memory(self) -> Capacity | None:
        """Return what the devices of its workers have; None where the system does not say, or others train."""

    def plan(self, engine: Engine, missing: Missing) -> CellSchedule:
        """Plan how they are trained. Takes seconds where the recipe asks for a measurement."""

    def slots(self) -> int:
        """Return how many workers fit on this machine, where nothing is measured."""

    def trainers(self, study_id: int) -> Sequence[Trainer]:
        """Return what trains: one for each slot, or for as many as there are devices."""
