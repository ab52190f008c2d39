"""Who trains the cells that stand in the table, until there are no more."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Protocol

from resbench.workers.config import Limit


class Executor(Protocol):
    """A context manager; leaving it ends what it started, and gives back the cells that were under way."""

    def run(self, count: int, is_over: Callable[[], bool]) -> Limit | None:
        """`count` of them train until `is_over`, which is asked every half a second, or until a limit of the duty is reached,
        which is returned. Raises Stopped where there is a wish to, and what keeps all of them from training.
        """

    def __enter__(self) -> Executor: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: TracebackType | None) -> None: ...
