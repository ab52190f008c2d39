"""What trains cells, as one process sends it to another -> the function that trains them.

No torch is imported before `ready` is called, in the process that trains.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from resbench.store.open import Engine
from resbench.store.records import Cell
from resbench.workers.events import CellReporter

Train = Callable[[Engine, Cell, CellReporter], None]


class Trainer(Protocol):
    """Goes to other processes, so it can be pickled."""

    def ready(self) -> Train:
        """Import what is needed and warm up. Returns what trains the seeds of a cell that have no run, and saves each run under
        the cell's claim.
        """


@dataclass(frozen=True, slots=True)
class TorchTrainer:
    """The trainer of every real study.

    Attributes:
        study_id: The study's number.
        folder: The folder of checkpoints and weights.
        device: Where it trains; empty for the best there is.
        timing: The folder for where the time of each cell goes; None where nobody asks.
        plugins: The folders that the user named.
    """

    study_id: int
    folder: Path
    device: str
    timing: Path | None = None
    plugins: Sequence[Path] = ()

    def ready(self) -> Train:
        """Import torch and the plugins, and return what trains a cell."""
        import torch

        from resbench.plugins.active import activate

        activate(self.plugins)
        from resbench.train.execution.device import best_device
        from resbench.workers.train_cell import cell_trainer

        device = torch.device(self.device) if self.device else best_device()
        return cell_trainer(self.study_id, self.folder, device, self.timing)
