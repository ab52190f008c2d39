"""Who trains the cells that are queued, until there are no more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Protocol

from resbench.workers.worker import WorkerLimit

ExecutorKind = Literal["local", "in_process", "ranks", "ray"]


@dataclass(frozen=True, slots=True)
class RayCluster:
    """Where on a Ray cluster cells are trained.

    Attributes:
        address: A cluster that runs; None starts one on this machine.
        cpus: Of each slot.
        gpus: Of each slot; may be a part.
    """

    address: str | None = None
    cpus: float = 1.0
    gpus: float = 0.0


class Executor(Protocol):
    """A context manager; leaving it ends what it started, and gives back the cells that were under way."""

    def run(self, count: int, is_over: Callable[[], bool]) -> WorkerLimit | None:
        """Train with so many workers until `is_over`, which is asked every half a second.

        Returns the limit of the worker that ended it sooner. Raises Stopped after a request to, and what keeps all of them from
        training.
        """

    def __enter__(self) -> Executor: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: TracebackType | None) -> None: ...
