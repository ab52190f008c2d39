"""Runs that come to their end -> files of their weights, as the study's `keep` says; a file that fails costs no run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from resbench.compiler.export import safetensors_bytes
from resbench.errors import StorageError
from resbench.spec.keep import Keep, keep_from
from resbench.store.engine import Engine
from resbench.store.records import WeightsRecord
from resbench.store.studies import spec_of_study
from resbench.store.weights import bytes_kept, write_weights
from resbench.store.work_records import Cell
from resbench.study.job import Job


def keep_of_study(engine: Engine, study_id: int) -> Keep:
    """What the study's row says now."""
    return keep_from(spec_of_study(engine, study_id).get("keep"))


@dataclass(frozen=True, slots=True)
class KeptStates:
    """Of one training. `written`: by seed, for whoever saves the runs."""

    engine: Engine
    folder: Path
    keep: Keep
    note: Callable[[str], None]
    job: Job
    cell: Cell
    written: dict[int, WeightsRecord] = field(default_factory=dict)

    def hook(self) -> Callable[[int, Mapping[str, Tensor]], None] | None:
        return self.write if self.keep.wants(judges=self.cell.judges) else None

    def write(self, seed: int, state: Mapping[str, Tensor]) -> None:
        content = safetensors_bytes(
            state, metadata(self.job, (self.cell.architecture, self.cell.recipe, self.cell.data), seed)
        )
        taken = bytes_kept(self.engine) + sum(record.bytes for record in self.written.values())
        if taken + len(content) > self.keep.bytes:
            self.note(
                f"{self.job.bound.unit}, seed {seed}: its weights are not kept, for all together would take "
                f"{(taken + len(content)) / 2**30:.3g} GiB and `keep` allows {self.keep.gib:g}; `resbench results weights` "
                "trains a run again"
            )
            return
        try:
            self.written[seed] = write_weights(self.engine, self.folder, content)
        except StorageError as error:
            self.note(f"{error}; the run is saved without them")


def metadata(job: Job, identity: tuple[str, str, str], seed: int) -> dict[str, str]:
    """What a file of weights says of itself: its run's identity (architecture, recipe, data), the same in every database."""
    architecture, recipe, data = identity
    names = {"network": job.bound.name, "unit": job.bound.unit, "digest": architecture}
    return names | {"recipe": recipe, "data": data, "seed": str(seed)}
