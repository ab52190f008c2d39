"""This machine as the resources of a coordinator: torch prices networks, measures plans, and trains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from resbench.compiler.graph import sizes
from resbench.data.images.inspection import OnProgress, silent
from resbench.language.study.study import StudySpec
from resbench.language.yaml.node import values
from resbench.measure.capacity import Capacity
from resbench.measure.memory import memory_mib
from resbench.measure.memory_check import DeviceMemory, device_memory
from resbench.plugins.active import named_folders
from resbench.search.point import Point
from resbench.store.open import Engine
from resbench.store.records import DataRecord
from resbench.study.planning import Planner, cores, workers
from resbench.study.resources.memory import refuse
from resbench.study.resources.resources import CellSchedule, Missing
from resbench.train.execution.plan import Plan
from resbench.train.execution.ranks import shard
from resbench.workers.cell_plan import CellPlan
from resbench.workers.data import data_of
from resbench.workers.trainer import TorchTrainer


@dataclass(frozen=True, slots=True)
class LocalResources:
    """This machine: torch prices networks, measures plans, and trains.

    Attributes:
        data: The study's data.
        torch_device: Where it trains.
        folder: The folder of checkpoints and weights.
        timing: The folder for where the time of each cell goes; None where nobody asks.
        elsewhere: Whether other machines train, each on the best device that it has.
        room: Of the device; None where other machines train, or the system does not say.
        measured: Plans that were measured, once for all stages.
    """

    data: DataRecord
    torch_device: torch.device
    folder: Path
    timing: Path | None = None
    elsewhere: bool = False
    room: DeviceMemory | None = None
    measured: dict[object, Plan] = field(default_factory=dict)

    @property
    def device(self) -> str:
        return str(self.torch_device)

    def memory_mib(self, point: Point) -> float | None:
        return memory_mib(point.bound)

    def refuse(self, missing: Missing) -> None:
        refuse([point for point, _ in missing.values()], self.data, self.room)

    def memory(self) -> Capacity | None:
        return None if self.room is None else self.room.device

    def plan(self, engine: Engine, missing: Missing) -> CellSchedule:
        alone = len(missing) < cores() or shard().of > 1
        here, count = device_memory(self.torch_device), cores() if alone else 1
        planner = Planner(engine, self.data.digest, self.data, self.torch_device, here, count, self.measured)
        hows = {trial_id: planner.plan(point, seeds) for trial_id, (point, seeds) in missing.items()}
        work = [(point, len(seeds)) for point, seeds in missing.values()]
        size = workers(work, list(hows.values()), self.data.n_train, self.torch_device)
        if self.torch_device.type == "cuda":
            torch.cuda.empty_cache()  # what was measured with is for the workers now
        plans = {i: CellPlan(hows[i].record(), needs_bytes=planner.needs(point, hows[i]))
                 for i, (point, _) in missing.items()}  # fmt: skip
        notes = [f"not compiled: {why}" for why in dict.fromkeys(how.not_compiled for how in hows.values()) if why]
        return CellSchedule(plans, size, notes)

    def slots(self) -> int:
        return cores() if self.torch_device.type == "cpu" else len(self.trainers(0))

    def trainers(self, study_id: int) -> Sequence[TorchTrainer]:
        """Return one for each GPU where there are several and none is named."""
        device, names = self.torch_device, [self.device]
        if device.type == "cuda" and device.index is None:
            names = [f"cuda:{i}" for i in range(torch.cuda.device_count())]
        if self.elsewhere:
            names = [""]
        plugins = tuple(named_folders())
        return [TorchTrainer(study_id, self.folder, name, self.timing, plugins) for name in names]


def data_record(spec: StudySpec, tell: OnProgress = silent) -> DataRecord:
    """Load and digest the study's data. Raises as workers/data.py does."""
    data, digest = data_of(spec, tell)
    n = {name: len(indices) for name, indices in data.splits.items()}
    shape = sizes(data.input_shape)
    settings = values(spec.data.given)
    val = torch.bincount(data.labels[data.splits["val"]])
    largest_pct = 100 * (1 - int(val.max()) / n["val"])
    return DataRecord(digest, data.name, shape, data.n_classes, n["train"], n["val"], n["test"], settings, largest_pct)
