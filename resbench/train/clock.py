"""A training with a clock -> its time in seconds by phase, and a chrome trace of a few of its steps."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Literal, TypeVar

import torch
from torch.profiler import ProfilerActivity, profile, record_function

from resbench.errors import ResbenchError
from resbench.files import placed

Phase = Literal["data", "forward", "backward", "optimizer", "evaluation"]
PHASES: tuple[Phase, ...] = ("data", "forward", "backward", "optimizer", "evaluation")
WARM, TRACED = 3, 3  # steps before the trace begins, and in it
T = TypeVar("T")


def untimed(name: Phase) -> AbstractContextManager[object]:
    return nullcontext()


InPhase = Callable[[Phase], AbstractContextManager[object]]


class Clock:
    """Times the phases of a training. It waits for the device at both ends of each phase, so a timed training is a little slower.

    A trace that cannot be written does not end the training: `note` is called with the reason.
    """

    def __init__(self, device: torch.device, trace: Path, note: Callable[[str], None]) -> None:
        self.device, self.trace, self.note = device, trace, note
        self.seconds: dict[Phase, float] = dict.fromkeys(PHASES, 0.0)
        self.steps = 0
        self.began = time.perf_counter()
        activities = [ProfilerActivity.CPU] + [ProfilerActivity.CUDA] * (device.type == "cuda")
        self.profiler: profile | None = profile(activities=activities)
        self.tracing = False

    @contextmanager
    def phase(self, name: Phase) -> Iterator[None]:
        if name == "data":
            self._trace()
        began = self._now()
        with record_function(f"resbench {name}"):
            yield
        self.seconds[name] += self._now() - began
        self.steps += name == "optimizer"

    def close(self) -> dict[str, float]:
        """Return seconds by phase; `overhead` is the remaining time since the clock was created."""
        self.stop()
        total = self._now() - self.began
        parts: dict[str, float] = dict(self.seconds.items())
        return {**parts, "overhead": total - sum(parts.values()), "total": total}

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()

    def _trace(self) -> None:
        if self.profiler is not None and self.steps == WARM and not self.tracing:
            self.profiler.start()
            self.tracing = True
        if self.steps == WARM + TRACED:
            self.stop()

    def stop(self) -> None:
        """End the trace, whatever its state, and write it. It never raises, since it may run while an exception propagates."""
        profiler, self.profiler = self.profiler, None
        if profiler is None or not self.tracing:
            return
        try:
            profiler.stop()
            with placed(self.trace) as rough:
                profiler.export_chrome_trace(str(rough))
        except (ResbenchError, OSError, RuntimeError) as error:
            self.note(f"no trace was written: {error}; the training is not affected")


def each(items: Iterable[T], phase: InPhase) -> Iterator[T]:
    """Yield the items; the time to get them counts as the data phase."""
    source = iter(items)
    while True:
        with phase("data"):
            item = next(source, None)
        if item is None:
            return
        yield item
