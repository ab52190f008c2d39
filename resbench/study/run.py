"""`study run` -> this process is the study's coordinator, or a worker beside the one that is and its successor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from resbench.errors import Fenced
from resbench.spec.study import StudySpec
from resbench.store.cells import LEASE_S
from resbench.store.checkpoint_place import claim
from resbench.store.checkpoints import sweep
from resbench.store.engine import Engine
from resbench.store.patience import Patience
from resbench.study.assist import Helper, assist, take
from resbench.study.coordinator import coordinate
from resbench.study.desk import Desk
from resbench.study.host import worker_record
from resbench.study.latencies import Latencies, latencies_of
from resbench.study.means import Means
from resbench.study.place import Place
from resbench.study.point import Point
from resbench.study.pulse import at_work
from resbench.study.shift import Shift, Where
from resbench.study.stop import Stop
from resbench.study.watcher import Watcher

if TYPE_CHECKING:
    from resbench.study.space import Space


@dataclass(frozen=True, slots=True)
class Manner:
    """How a study is run, which changes no number. `context`: how children start, in multiprocessing's words."""

    where: Where = "local"
    workers: int | None = None
    tags: tuple[str, ...] = ()
    lease_s: float = LEASE_S
    context: str = "spawn"
    place: Place | None = None


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
    with at_work(engine, record, patience, manner.lease_s) as pulse:
        news = patience.do(lambda: claim(engine, task.means.folder))
        if news is not None:
            watch.note(news)
        shift = Shift(
            task.url, record, stop, pulse, manner.where, manner.workers, manner.lease_s, manner.context, manner.place
        )
        while True:
            lease = patience.do(partial(take, engine, spec.name, record.name, manner.lease_s))
            if lease is None:
                assist(engine, shift, Helper(spec.name, task.means.trainers, task.means.slots(), epochs), watch)
                continue
            try:
                points, latencies = patience.do(lambda: _as_measured(engine, task))
                desk = Desk(engine, spec, task.means, watch, lease, patience, latencies)
                whole = coordinate(desk, shift, points, task.space)
            except Fenced as error:
                watch.note(f"{error}; this process goes on as a worker beside it")
                continue
            sweep(engine, task.means.folder)
            return whole


def _as_measured(engine: Engine, task: Task) -> tuple[Sequence[Point], Latencies]:
    """The points as the latencies that stand with the study have them: another process may have measured since."""
    space = task.space
    if space is None or not task.spec.budget.latency_ms:
        return task.points, Latencies()
    news = space.latencies.adopt(latencies_of(engine, task.spec.name))
    return (space.looked_at()[0] if news else task.points), space.latencies
