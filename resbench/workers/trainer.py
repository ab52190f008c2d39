"""How cells are trained, as one process tells it to another -> the function that trains them.  Imports no torch by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from resbench.store.open import Engine
from resbench.store.records import Cell
from resbench.workers.events import Ears

Train = Callable[[Engine, Cell, Ears], None]


class Trainer(Protocol):
    """Goes to other processes, so it can be pickled."""

    def ready(self) -> Train:
        """Import what is needed, warm up. What it returns trains the seeds of a cell that have no run, and saves each run
        under the cell's claim.
        """
