"""SIGINT, SIGTERM -> a request to stop, which work looks at where it can; a second one stops at once, further ones are noted.

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
class Shutdown:
    """The state of a request to stop this process.

    Attributes:
        requested: The last signal, or 0.
        requested_at: When the first one came.
        count: How many there were.
        drained: Whether no more cells are to be taken, and those under way to be finished.
        leaving: Whether Stopped was raised.
        unreturned: Cells that could not be given back.
        raised: The signal, counted from 1, that is raised where it comes.
    """

    requested: int = 0
    requested_at: float = 0.0
    count: int = 0
    drained: bool = False
    leaving: bool = False
    unreturned: int = 0
    raised: int = _USUAL

    def request(self, signum: int, _frame: FrameType | None = None) -> None:
        """Note a signal that asks to stop, and raise Stopped where that loses nothing."""
        self.requested, self.requested_at, self.count = signum, self.requested_at or time.monotonic(), self.count + 1
        if not self.leaving and self.raised != _NEVER and self.count >= self.raised:
            self.leave()

    @property
    def is_repeated(self) -> bool:
        """Whether to stop at once: there was a second signal."""
        return self.count > 1

    def leave(self) -> NoReturn:
        """Raise Stopped; whatever signal comes from now on changes nothing."""
        self.leaving = True
        raise Stopped(self.requested)

    def drain(self, _signum: int = 0, _frame: FrameType | None = None) -> None:
        """Note a signal after which no more cells are taken."""
        self.drained = True

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Raise the first signal too where it comes, inside: there is nothing that could be lost."""
        if self.requested:
            self.leave()
        before, self.raised = self.raised, 1
        try:
            yield
        finally:
            self.raised = before

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """Raise no signal inside: whoever holds cells looks at `requested` and `is_repeated` where it has none in its hands.

        After an error it stays so until `lower`, for then the cells are given back.
        """
        before, self.raised = self.raised, _NEVER
        yield
        self.raised = before

    @contextmanager
    def exposed(self) -> Iterator[None]:
        """Let the second signal be raised anywhere, inside a shielded block."""
        before, self.raised = self.raised, _USUAL
        try:
            if self.is_repeated:
                self.leave()
            yield
        finally:
            self.raised = before

    def lower(self) -> None:
        """End what `shielded` began."""
        self.raised = _USUAL


@contextmanager
def handle_signals(drain_on: Sequence[int] = ()) -> Iterator[Shutdown]:
    """Hear the signals of this process, as long as the block lasts; only in its main thread."""
    shutdown = Shutdown()
    handlers = {signal.SIGINT: shutdown.request, signal.SIGTERM: shutdown.request} | {
        signal.Signals(n): shutdown.drain for n in drain_on
    }
    ignored = [number for number in handlers if signal.getsignal(number) == signal.SIG_IGN]  # as nohup and `&` mean it
    before = {number: signal.signal(number, handler) for number, handler in handlers.items() if number not in ignored}
    try:
        yield shutdown
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
