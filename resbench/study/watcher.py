"""What a running study tells whoever looks on."""

from __future__ import annotations

from typing import Protocol

from resbench.train.outcome import Epoch, Outcome


class Watcher(Protocol):
    """Who looks on while a study runs."""

    def planned(self, cached: int, new: int) -> None: ...

    def epoch(self, unit: str, seed: int, of: int, epoch: Epoch) -> None: ...

    def saved(self, unit: str, seed: int, of: int, outcome: Outcome) -> None: ...

    def cell_failed(self, unit: str, error: str) -> None: ...

    def note(self, text: str) -> None: ...
