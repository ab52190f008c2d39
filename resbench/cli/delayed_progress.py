"""Lines of progress on stderr, for what mostly takes too short a time to need any."""

from __future__ import annotations

import time
from collections.abc import Callable

from resbench.cli.terminal import echo


def patient(after_s: float, clock: Callable[[], float] = time.monotonic) -> Callable[[str], None]:
    """Return what tells how far something is, where more than `after_s` have passed since it was made or told the last."""
    last = clock()

    def tell(text: str) -> None:
        nonlocal last
        if clock() - last > after_s:
            last = clock()
            echo(text, err=True)

    return tell
