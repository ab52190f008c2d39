"""The trainer of every real study.  Imports no torch before it is in the process that trains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from resbench.workers.trainer import Train


@dataclass(frozen=True, slots=True)
class TorchTrainer:
    """`folder`: of checkpoints; `profile`: for where the time of each cell went; `plugins`: folders named by the user."""

    study_id: int
    folder: Path
    device: str
    profile: Path | None = None
    plugins: Sequence[Path] = ()

    def ready(self) -> Train:
        import torch

        from resbench.plugins.active import activate

        activate(self.plugins)
        from resbench.train.execution.device import best_device
        from resbench.workers.timing import Machine
        from resbench.workers.train_cell import training

        device = torch.device(self.device) if self.device else best_device()
        return training(self.study_id, self.folder, Machine(device, self.profile))
