"""`study run` -> this process is the study's coordinator, or a worker beside the one that is and its successor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from resbench.errors import LeaseLost
from resbench.language.study.study import StudySpec
from resbench.search.latencies import Latencies, latencies_of
from resbench.search.point import Point
from resbench.store.checkpoints.place import claim
from resbench.store.connection.retry import Patience
from resbench.store.open import Engine
from resbench.store.queue.cells import LEASE_S
from resbench.store.results.checkpoints import sweep
from resbench.study.context import Desk
from resbench.study.coordinator import coordinate
from resbench.study.resources.resources import Means
from resbench.study.trackers.tracking import NO_TRACKERS, Trackers, tracked
from resbench.workers.assist import Helper, assist, take
from resbench.workers.config import Place
from resbench.workers.events import Watcher
from resbench.workers.executors.factory import Shift, Where
from resbench.workers.heartbeat import at_work
from resbench.workers.processes import worker_record
from resbench.workers.shutdown import Stop

if TYPE_CHECKING:
    from resbench.search.space import Space


@dataclass(frozen=True, slots=True)
class Manner:
    """How a study is run, which changes no number. `context`: how children start, in multiprocessing's words."""

    where: Where = "local"
    workers: int | None = None
    tags: tuple[str, ...] = ()
    lease_s: float = LEASE_S
    context: str = "spawn"
    place: Place | None = None
    trackers: Trackers = NO_TRACKERS


@dataclass(frozen=True, slots=True)
class Task:
    url: str
    spec: StudySpec
    points: Sequence[Point]
    means: Means
    space: Space | None = None  # that they are from


def run_study(engine: Engine, task: Task, watch: Watcher, stop: Stop, manner: Manner = Manner()) -> bool:
    """Train what is missing. Returns whether every cell came to its end; one that fails stops no other.

    Raises Stopped after a wish to stop, with everything under way kept and given back.
    """
    spec, epochs = task.spec, {point.name: point.epochs for point in task.points}
    record = worker_record(spec.name, task.means.device, manner.workers or 1, manner.tags)
    patience = Patience(note=watch.note, stopped=lambda: bool(stop.asked))
    with at_work(engine, record, stop, patience, manner.lease_s) as pulse:
        news = patience.do(lambda: claim(engine, task.means.folder))
        if news is not None:
            watch.note(news)
        shift = Shift(
            task.url, record, stop, pulse, manner.where, manner.workers, manner.lease_s, manner.context, manner.place
        )
        while True:
            lease = patience.do(partial(take, engine, spec.name, record.name, manner.lease_s))
            if lease is None:
                means = task.means
                helper = Helper(spec.name, means.trainers, means.slots(), epochs, means.memory)
                assist(engine, shift, helper, watch)
                continue
            try:
                space, points = patience.do(lambda: _as_stored(engine, task))
                with tracked(engine, spec.name, manner.trackers, watch, stop) as seen:
                    desk = Desk(engine, spec, task.means, seen, lease, patience, *_limits(space))
                    whole = coordinate(desk, shift, points, space)
            except LeaseLost as error:
                watch.note(f"{error}; this process goes on as a worker beside it")
                continue
            patience.do(lambda: sweep(engine, task.means.folder))
            return whole


def _as_stored(engine: Engine, task: Task) -> tuple[Space | None, Sequence[Point]]:
    """The points by the latencies and the limit that stand with the study: another process may have begun it since."""
    space, name = task.space, task.spec.name
    if space is None:
        return None, task.points
    news = bool(task.spec.budget.latency_ms) and space.latencies.adopt(latencies_of(engine, name))
    if not task.spec.search.is_grid:
        from resbench.study.resources.memory import begun_on  # needs torch, which no grid needs here

        room = begun_on(engine, name, space.room)
        news, space = news or room != space.room, replace(space, room=room)
    return space, space.looked_at()[0] if news else task.points


def _limits(space: Space | None) -> tuple[Latencies, int | None]:
    """What refuses points, beside the budget."""
    if space is None:
        return Latencies(), None
    return space.latencies, None if space.room is None else space.room.device.one
