"""Runs that come to their end -> files of their weights, as the study's `keep` says; a file that fails costs no run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path

from torch import Tensor

from resbench.compiler.export.serialized import safetensors_bytes
from resbench.errors import ResbenchError
from resbench.language.study.keep import Keep, keep_from
from resbench.store.checkpoints.weights import bytes_kept, drop_worse, write_weights
from resbench.store.connection.retry import Patience
from resbench.store.open import Engine
from resbench.store.records import Cell, WeightsRecord
from resbench.store.results.studies import spec_of_study
from resbench.train.outcome import Epoch
from resbench.workers.job import Job


def keep_of_study(engine: Engine, study_id: int) -> Keep:
    """Return what the study's row says now."""
    return keep_from(spec_of_study(engine, study_id).get("keep"))


_noted: set[tuple[str, int]] = set()  # database and study of which this process has said that there is no room


@dataclass(frozen=True, slots=True)
class WeightsKeeper:
    """Of one training. `written`: by seed, for whoever saves the runs."""

    engine: Engine
    folder: Path
    keep: Keep
    study_id: int
    patience: Patience
    job: Job
    cell: Cell
    written: dict[int, WeightsRecord] = field(default_factory=dict)

    def hook(self) -> Callable[[int, Epoch, Mapping[str, Tensor]], None] | None:
        return self.write if self.keep.wants(judges=self.cell.judges) else None

    def write(self, seed: int, last: Epoch, state: Mapping[str, Tensor]) -> None:
        """Write the file where there is room; what keeps it from being written costs the weights alone."""
        cell = self.cell
        content = safetensors_bytes(state, metadata(self.job, (cell.architecture, cell.recipe, cell.data), seed))
        try:
            if self._lacking(len(content)) > 0 and self.keep.runs == "best":
                run = cell.architecture, cell.recipe, last.judged_error_pct
                lacking = self._lacking(len(content))
                self.patience.do(lambda: drop_worse(self.engine, self.folder, self.study_id, run, lacking))
            if self._lacking(len(content)) > 0:
                self._note_once()
                return
            patience = Patience(full_s=0, note=self.patience.note)  # for the database, not for room on the disc
            self.written[seed] = patience.do(lambda: write_weights(self.engine, self.folder, content))
        except ResbenchError as error:
            self.patience.note(f"seed {seed}: its weights are not kept: {error}")

    def _lacking(self, size: int) -> int:
        """Return bytes beyond what all weights may take, with one file of that size more."""
        taken = self.patience.do(lambda: bytes_kept(self.engine)) + sum(
            record.bytes for record in self.written.values()
        )
        return ceil(taken + size - self.keep.bytes)

    def _note_once(self) -> None:
        study = str(self.engine.url), self.study_id
        if study not in _noted:
            _noted.add(study)
            self.patience.note(
                f"not all weights are kept, for together they would take more than the {self.keep.gib:g} GiB of `keep`; "
                "`resbench results weights` trains a run again"
            )


def metadata(job: Job, identity: tuple[str, str, str], seed: int) -> dict[str, str]:
    """Return what a file of weights says of itself: its run's identity (architecture, recipe, data), the same in every
    database.
    """
    architecture, recipe, data = identity
    names = {"network": job.bound.name, "unit": job.bound.unit, "digest": architecture}
    return names | {"recipe": recipe, "data": data, "seed": str(seed)}
