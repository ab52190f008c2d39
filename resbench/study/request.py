"""A study as a user asks for it: what was loaded and checked, and how it is to be run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from resbench.data.registry import info
from resbench.language.library.library import Library
from resbench.language.study.study import StudySpec
from resbench.search.latencies import Latencies, latencies_of
from resbench.search.point import Point, Refused
from resbench.store.open import Engine
from resbench.store.queue.leases import LEASE_S
from resbench.store.results.stored import from_database
from resbench.study.trackers.tracking import NO_TRACKERS, Trackers
from resbench.workers.executors.base import ExecutorKind, RayCluster

if TYPE_CHECKING:
    import torch

    from resbench.measure.memory_check import DeviceMemory
    from resbench.search.space import Space


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """Options of a user for a run of a study; none of them changes a number.

    Attributes:
        url: The database.
        device: Where this machine trains; None until it is resolved.
        checkpoints: The folder of checkpoints and weights; None for the one beside the database.
        timing: The folder for where the time of each cell goes; None where nobody asks.
        workers: Worker processes; 0: none of this machine. None: as many as are worth it.
        executor: Who trains the cells.
        cluster: Of Ray.
        trackers: Where runs are shown too.
        tags: What this machine has, of what cells ask for.
        lease_s: Seconds that a lease lasts without being renewed.
        start_method: How worker processes start, as `multiprocessing` names it.
    """

    url: str
    device: torch.device | None = None
    checkpoints: str | None = None
    timing: Path | None = None
    workers: int | None = None
    executor: ExecutorKind = "local"
    cluster: RayCluster | None = None
    trackers: Trackers = NO_TRACKERS
    tags: tuple[str, ...] = ()
    lease_s: float = LEASE_S
    start_method: str = "spawn"


@dataclass(frozen=True, slots=True)
class StudyRequest:
    """A study that was loaded, and whose points were bound and checked.

    Attributes:
        spec: The study.
        points: What is looked at; of a search that proposes its points, one by which recipe and machine are checked.
        space: Where the points are from; None where they are given.
        refused: Points that cannot be built.
        room: Of the device that trains them; None where others do.
    """

    spec: StudySpec
    points: Sequence[Point]
    space: Space | None = None
    refused: Sequence[Refused] = ()
    room: DeviceMemory | None = None

    @property
    def latencies(self) -> Latencies:
        """Return the latencies that were measured for its budget."""
        return Latencies() if self.space is None else self.space.latencies

    @property
    def memory_bytes(self) -> int | None:
        """Return the memory by which a search refuses points; None where it refuses none by it."""
        return None if self.space is None or self.space.room is None else self.space.room.device.one

    def as_stored(self, engine: Engine) -> StudyRequest:
        """Return it with the latencies and the memory that the database keeps: another process may have begun the study since."""
        space = self.space
        if space is None:
            return self
        changed = bool(self.spec.budget.latency_ms) and space.latencies.adopt(latencies_of(engine, self.spec.name))
        if not self.spec.search.is_grid:
            from resbench.study.resources.memory import begun_on  # needs torch, which no grid needs here

            room = begun_on(engine, self.spec.name, space.room)
            changed, space = changed or room != space.room, replace(space, room=room)
        return replace(self, space=space, points=space.looked_at()[0] if changed else self.points)


def bind_request(
    spec: StudySpec,
    library: Library,
    *,
    url: str | None = None,
    device: Callable[[], DeviceMemory | None] = lambda: None,
) -> StudyRequest:
    """Bind every point of a study, before anything is written.

    Args:
        spec: The study.
        library: Where its names are looked up.
        url: The database that may hold the study. Without one all points of a grid must fit on the device; with one those that
            have runs need not.
        device: Returns the room of the device that trains, None where other machines do.

    Raises:
        SpecError: With every problem.
    """
    from resbench.search.space import Space
    from resbench.study.resources.memory import begun_on

    room, known = device(), Latencies()
    limit = room if url is None else None
    if not spec.search.is_grid:
        limit = room if url is None else from_database(url, lambda engine: begun_on(engine, spec.name, room), room)
    if url is not None and spec.budget.latency_ms:
        known = from_database(url, lambda engine: latencies_of(engine, spec.name), known)
    space = Space(spec, info(str(spec.data.name), spec.data.given), library, known, limit)
    points, refused = space.looked_at()
    return StudyRequest(spec, points, space, refused, room)
