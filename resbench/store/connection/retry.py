"""Repeat a step while the database does not answer or its disc is full.

Every step must be idempotent: done twice, it changes nothing the second time.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from resbench.errors import BadInput, DatabaseUnavailable, StorageError

T = TypeVar("T")


_LONGEST_S = 31_536_000  # a year


def _from_environment(seconds: float) -> float:
    """Return RESBENCH_PATIENCE_S where it is set, else the given seconds. Raises BadInput for a value that is no duration."""
    text = os.environ.get("RESBENCH_PATIENCE_S") or str(seconds)
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0 <= found <= _LONGEST_S:
        raise BadInput(f"RESBENCH_PATIENCE_S: expected seconds from 0 to {_LONGEST_S}, such as 900, got {text!r}")
    return found


@dataclass(frozen=True, slots=True)
class Patience:
    """The longest waits, in seconds. `note` is called once per wait; once `stopped` returns true the error is raised at once."""

    unavailable_s: float = field(default_factory=lambda: _from_environment(900.0))
    full_s: float = field(default_factory=lambda: _from_environment(60.0))
    note: Callable[[str], None] = lambda text: None
    stopped: Callable[[], bool] = lambda: False

    def do(self, step: Callable[[], T]) -> T:
        """Run a step, and repeat it while the database is unavailable. Raises the step's error once the wait is over."""
        began, noted, pause = time.monotonic(), False, 0.2
        while True:
            try:
                return step()
            except (DatabaseUnavailable, StorageError) as error:
                most = self.unavailable_s if isinstance(error, DatabaseUnavailable) else self.full_s
                if self.stopped() or time.monotonic() - began > most:
                    raise
                if not noted:
                    self.note(f"{error}; waiting up to {most:.0f} s for it")
                    noted = True
                time.sleep(pause)
                pause = min(2 * pause, 5.0)
