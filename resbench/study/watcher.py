"""What a running study tells whoever looks on."""

from __future__ import annotations

from typing import Protocol


class Watcher(Protocol):
    """Who looks on while a study runs. `error_pct`: of val; None where it is not finite, and of a run that diverged."""

    def planned(self, cached: int, new: int) -> None: ...

    def epoch(self, unit: str, seed: int, of: int, epoch: int, error_pct: float | None) -> None: ...

    def saved(self, unit: str, seed: int, of: int, epochs: int, error_pct: float | None) -> None: ...

    def cell_failed(self, unit: str, error: str) -> None: ...

    def note(self, text: str) -> None: ...
