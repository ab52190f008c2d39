"""Files that are decoded before a study begins -> lines of progress."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

EVERY_S = 5.0


@dataclass(slots=True)
class Decoding:
    """Prints how far decoding is, by `line`. Where all is done sooner than the first line is due, there is none."""

    line: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    due: float = field(init=False)

    def __post_init__(self) -> None:
        self.due = self.clock() + EVERY_S

    def __call__(self, done: int, total: int) -> None:
        if self.clock() >= self.due:
            self.due = self.clock() + EVERY_S
            self.line(f"{done:,} of {total:,} images are decoded")
