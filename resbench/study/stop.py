"""SIGINT, SIGTERM -> a wish to stop, which work looks at where it can; a second one stops at once.

Status: 130 after Ctrl-C, 143 after SIGTERM. Work that stops raises Stopped, with leases given back and checkpoints written.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

PATIENCE_S = 20.0  # for a training to come to the end of its epoch; after that it stops at its step


class Stopped(BaseException):
    """Not caught by what catches errors of a cell."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.status = 128 + signum


@dataclass(slots=True)
class Stop:
    """`asked`: the signal, or 0. `drained`: no more cells are to be taken, those under way are to be finished."""

    asked: int = 0
    asked_at: float = 0.0
    again: bool = False
    drained: bool = False
    raises: bool = field(default=False)

    def ask(self, signum: int, _frame: FrameType | None = None) -> None:
        self.again = bool(self.asked)
        self.asked, self.asked_at = signum, self.asked_at or time.monotonic()
        if self.raises or self.again:
            raise Stopped(signum)

    def drain(self, _signum: int = 0, _frame: FrameType | None = None) -> None:
        self.drained = True

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Inside, the first signal too is raised where it comes: there is nothing that could be lost."""
        if self.asked:
            raise Stopped(self.asked)
        self.raises = True
        try:
            yield
        finally:
            self.raises = False


@contextmanager
def heard(drain_on: Sequence[int] = ()) -> Iterator[Stop]:
    """Signals of this process, as long as the block lasts; only in its main thread."""
    stop = Stop()
    handlers = {signal.SIGINT: stop.ask, signal.SIGTERM: stop.ask} | {signal.Signals(n): stop.drain for n in drain_on}
    ignored = [number for number in handlers if signal.getsignal(number) == signal.SIG_IGN]  # as nohup and `&` mean it
    before = {number: signal.signal(number, handler) for number, handler in handlers.items() if number not in ignored}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
