"""Progress on stderr for steps that are usually too short to need any."""

from __future__ import annotations

import time
from collections.abc import Callable

from resbench.cli.echo import echo


def patient(after_s: float, clock: Callable[[], float] = time.monotonic) -> Callable[[str], None]:
    """Return a function that prints a line if more than `after_s` seconds have passed since the last one, or since the start."""
    last = clock()

    def tell(text: str) -> None:
        nonlocal last
        if clock() - last > after_s:
            last = clock()
            echo(text, err=True)

    return tell
