"""What a person is told of runs that workers elsewhere have saved."""

from __future__ import annotations

import pytest

from resbench.workers import events
from resbench.workers.events import ProgressRelay


class Heard:
    def __init__(self) -> None:
        self.saved_runs: list[tuple[str, float | None]] = []

    def planned(self, cached: int, new: int) -> None: ...

    def epoch(self, unit: str, seed: int, of: int, epoch: int, error_pct: float | None) -> None: ...

    def saved(self, unit: str, seed: int, of: int, epochs: int, error_pct: float | None) -> None:
        self.saved_runs.append((unit, error_pct))

    def cell_failed(self, unit: str, error: str) -> None: ...

    def note(self, text: str) -> None: ...


def test_a_run_that_a_search_stopped_has_not_diverged(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [(1, 1, 0, "complete", 20.0, 4), (2, 2, 0, "stopped", 30.0, 2), (3, 3, 0, "diverged", 90.0, 4)]
    monkeypatch.setattr(events, "runs_since", lambda *_: rows)
    heard = Heard()
    ProgressRelay(heard, {1: ("a", 4), 2: ("b", 4), 3: ("c", 4)}).catch_up(None, 1)  # type: ignore[arg-type]
    assert heard.saved_runs == [("a", 20.0), ("b", 30.0), ("c", None)]
