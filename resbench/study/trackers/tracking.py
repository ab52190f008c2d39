"""A study under way -> its runs in every tracker, from a thread of the coordinator's process, each once.

The database is read, never written, and whatever a tracker does, no run and no study ends by it. What is recorded is known to the
tracker's own place, so a study that goes on, or another coordinator, records what is missing there and nothing twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread

from resbench.errors import BadInput, ResbenchError
from resbench.plugins.active import cause
from resbench.store.open import Engine
from resbench.study.trackers.runs import tracked_runs
from resbench.study.trackers.tracked import TrackedRun, TrackedStudy, Tracker
from resbench.workers.events import Progress
from resbench.workers.shutdown import Shutdown

EVERY_S = 1.0  # the database is not asked more often
PATIENCE_S = 120.0  # for a tracker that does not answer, once everything is trained
LEAVE_S = 5.0  # the same where the study is stopped
IN_A_ROW = 3  # failures, after which a tracker is not called again in this start


@dataclass(slots=True)
class NamedTracker:
    """A tracker with what came of it. `done`: keys of runs that it has; `failed`: of those that it could not take."""

    name: str
    tracker: Tracker
    done: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    in_a_row: int = 0
    begun: bool = False
    is_reported: bool = False

    @property
    def is_given_up(self) -> bool:
        return self.in_a_row >= IN_A_ROW


@dataclass(frozen=True, slots=True)
class Trackers:
    """Those of a study, by name. `finish`: reads what is recorded of the study at its end."""

    named: Sequence[tuple[str, Tracker]] = ()
    finish: Callable[[Engine], TrackedStudy] | None = None


NO_TRACKERS = Trackers()


class Tracking:
    """`note` reports to the progress of the study."""

    def __init__(self, engine: Engine, study: str, trackers: Trackers, note: Callable[[str], None]) -> None:
        self.engine, self.study, self.finish, self.note = engine, study, trackers.finish, note
        self.trackers = [NamedTracker(name, made) for name, made in trackers.named]
        self.wake, self.ending, self.leaving = Event(), Event(), Event()
        self.moved = time.monotonic()
        self.thread = Thread(target=self._work, name="trackers", daemon=True)

    def start(self) -> None:
        self.thread.start()

    def look(self) -> None:
        """There is something new in the database."""
        self.wake.set()

    def end(self) -> None:
        """Record all that is left and the study itself, and note how many runs were not taken."""
        self.ending.set()
        self._join(PATIENCE_S)
        for one in self.trackers:
            if one.failed:
                of = len(one.failed | one.done)
                self.note(
                    f"tracker {one.name}: {len(one.failed)} of {of} runs were not recorded; the next start tries them again"
                )
        if self.thread.is_alive():
            self.note(
                f"trackers: no answer for {PATIENCE_S:.0f} s; what is missing there is recorded by the next start"
            )

    def leave(self) -> None:
        """Go away soon: the study was stopped, or is another process's now."""
        self.leaving.set()
        self.ending.set()
        self._join(LEAVE_S)

    def _join(self, patience_s: float) -> None:
        self.moved = time.monotonic()
        self.wake.set()
        while self.thread.is_alive() and time.monotonic() - self.moved < patience_s:
            self.thread.join(0.05)

    def _work(self) -> None:
        while True:
            self.wake.wait()
            self.wake.clear()
            last = self.ending.is_set()
            for one in self.trackers:
                self._record(one, stopped=last)
            if last:
                break
            self.ending.wait(EVERY_S)
        for one in self.trackers:
            if one.begun and self.finish is not None and not one.is_given_up and not self.leaving.is_set():
                self._try(one, None, lambda one=one: one.tracker.finish(self.finish(self.engine)))  # type: ignore[misc]
            if one.begun:
                self._try(one, None, one.tracker.close)

    def _record(self, one: NamedTracker, *, stopped: bool) -> None:
        if not one.begun and not one.is_given_up:
            one.begun = self._try(one, None, lambda: one.tracker.begin(self.study))
            if not one.begun:
                one.in_a_row = IN_A_ROW  # whatever it lacks, it lacks at the next run too
        try:
            for key, read in tracked_runs(self.engine, self.study, one.done, stopped=stopped):
                if self.leaving.is_set():
                    return
                if one.is_given_up or not self._try(one, key, lambda read=read: self._put(one, read())):  # type: ignore[misc]
                    one.failed.add(key)
                else:
                    one.done.add(key)
                    one.failed.discard(key)
        except ResbenchError as error:
            if not isinstance(error, BadInput):  # a study that is not written yet has no runs
                self._report(one, error)

    def _put(self, one: NamedTracker, run: TrackedRun) -> None:
        if not one.tracker.has(run):
            one.tracker.record(run)

    def _try(self, one: NamedTracker, key: str | None, step: Callable[[], object]) -> bool:
        try:
            step()
        except (Exception, SystemExit) as error:  # of other people's code, over other people's networks
            one.in_a_row += 1
            self._report(one, error)
            return False
        finally:
            self.moved = time.monotonic()
        if key is not None:
            one.in_a_row = 0
        return True

    def _report(self, one: NamedTracker, error: BaseException) -> None:
        if not one.is_reported:
            one.is_reported = True
            self.note(f"tracker {one.name}: {cause(error)}; the study goes on")


@dataclass(frozen=True, slots=True)
class Tracked:
    """A progress, and the trackers that are woken where runs are recorded."""

    progress: Progress
    tracking: Tracking

    def planned(self, cached: int, new: int) -> None:
        self.progress.planned(cached, new)
        self.tracking.look()

    def epoch(self, unit: str, seed: int, of: int, epoch: int, error_pct: float | None) -> None:
        self.progress.epoch(unit, seed, of, epoch, error_pct)

    def saved(self, unit: str, seed: int, of: int, epochs: int, error_pct: float | None) -> None:
        self.progress.saved(unit, seed, of, epochs, error_pct)
        self.tracking.look()

    def cell_failed(self, unit: str, error: str) -> None:
        self.progress.cell_failed(unit, error)

    def note(self, text: str) -> None:
        self.progress.note(text)


@contextmanager
def tracked(
    engine: Engine, study: str, trackers: Trackers, progress: Progress, shutdown: Shutdown
) -> Iterator[Progress]:
    """Yield the progress, with trackers beside it until the study ends here."""
    if not trackers.named:
        yield progress
        return
    tracking = Tracking(engine, study, trackers, progress.note)
    tracking.start()
    try:
        yield Tracked(progress, tracking)
    except BaseException:
        tracking.leave()
        raise
    with shutdown.interruptible():
        tracking.end()
