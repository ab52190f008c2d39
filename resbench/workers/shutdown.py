"""SIGINT, SIGTERM -> a wish to stop, which work looks at where it can; a second one stops at once, further ones are only noted.

Status: 130 after Ctrl-C, 143 after SIGTERM. Work that stops raises Stopped, with leases given back and checkpoints written. From
then on no signal raises: a scheduler may send three within a second, and what is given back is not cut. Who insists uses
SIGQUIT (Ctrl-\\) or SIGKILL, which are left alone: cells are then as those of any worker that was killed.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import NoReturn

PATIENCE_S = 20.0  # for a training to come to the end of its epoch; after that it stops at its step
_USUAL, _NEVER = 2, 0  # the signal that is raised where it comes


class Stopped(BaseException):
    """Not caught by what catches errors of a cell."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.status = 128 + signum


@dataclass(slots=True)
class Stop:
    """`asked`: the last signal, or 0; `count`: how many there were. `drained`: no more cells are to be taken, those under way are
    to be finished. `leaving`: Stopped was raised. `unreturned`: cells that could not be given back.
    """

    asked: int = 0
    asked_at: float = 0.0
    count: int = 0
    drained: bool = False
    leaving: bool = False
    unreturned: int = 0
    raised: int = _USUAL

    def ask(self, signum: int, _frame: FrameType | None = None) -> None:
        self.asked, self.asked_at, self.count = signum, self.asked_at or time.monotonic(), self.count + 1
        if not self.leaving and self.raised != _NEVER and self.count >= self.raised:
            self.leave()

    @property
    def again(self) -> bool:
        """Whether to stop at once: there was a second signal."""
        return self.count > 1

    def leave(self) -> NoReturn:
        """Raise Stopped; whatever signal comes from now on changes nothing."""
        self.leaving = True
        raise Stopped(self.asked)

    def drain(self, _signum: int = 0, _frame: FrameType | None = None) -> None:
        self.drained = True

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Inside, the first signal too is raised where it comes: there is nothing that could be lost."""
        if self.asked:
            self.leave()
        before, self.raised = self.raised, 1
        try:
            yield
        finally:
            self.raised = before

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """Inside, no signal is raised: whoever holds cells looks at `asked` and `again` where it has none in its hands.

        After an error it stays so until `lower`, for then the cells are given back.
        """
        before, self.raised = self.raised, _NEVER
        yield
        self.raised = before

    @contextmanager
    def exposed(self) -> Iterator[None]:
        """Inside a shielded block: what may be cut anywhere by the second signal."""
        before, self.raised = self.raised, _USUAL
        try:
            if self.again:
                self.leave()
            yield
        finally:
            self.raised = before

    def lower(self) -> None:
        """The end of what `shielded` began."""
        self.raised = _USUAL


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
