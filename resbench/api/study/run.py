"""A study whose points are bound -> its runs: this process coordinates it, or works beside the one that does."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from resbench.api.study.decoding import Decoding
from resbench.api.study.events import Notifier
from resbench.api.study.prepare import Prepared
from resbench.errors import StudyInterrupted
from resbench.store.checkpoints.place import refuse_strangers
from resbench.store.open import open_store
from resbench.store.results.checkpoints import checkpoint_folder

if TYPE_CHECKING:
    import torch

    from resbench.search.point import Point
    from resbench.store.records import DataRecord
    from resbench.study.trackers.tracking import Trackers
    from resbench.workers.config import Place
    from resbench.workers.executors.factory import Where
    from resbench.workers.shutdown import Stop

MANY = 10**6  # slots of a cluster: as many as it has room for


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What a study is run on, which changes no number."""

    url: str
    device: torch.device
    checkpoints: str | None = None
    timing: Path | None = None
    workers: int | None = None
    place: Place | None = None  # on a Ray cluster
    trackers: Trackers | None = None


def run_prepared(prepared: Prepared, options: RunOptions, watch: Notifier) -> bool:
    """Run the study. Of several ranks the first keeps it, and the others follow it. Returns whether every cell came to its end.

    Data, recipes and ranks are looked at before anything is written. Raises StudyInterrupted after SIGINT or SIGTERM.
    """
    from resbench.data.notes import notes
    from resbench.study.resources.local import ThisMachine, data_record
    from resbench.study.resources.memory import short_now
    from resbench.study.run import Manner, Task, run_study
    from resbench.study.trackers.tracking import NO_TRACKERS
    from resbench.train.execution.ranks import shard
    from resbench.workers.data import loaded
    from resbench.workers.job import check_recipe, dismiss, follow
    from resbench.workers.shutdown import Stopped

    spec, points = prepared.spec, prepared.points
    data = data_record(spec, Decoding(watch.note))
    for point in points:
        check_recipe(point.recipe, options.device)
    _refuse_too_large(prepared, options.url, data)
    if shard().rank > 0:
        follow(options.device)
        return True
    for note in notes(loaded(data.name, data.settings)[0]):
        watch.note(note)
    if prepared.room is not None and (short := short_now(points, data, options.device)) is not None:
        watch.note(short)
    folder = checkpoint_folder(options.url, options.checkpoints)
    refuse_strangers(folder)
    engine = open_store(options.url, create=True)
    here: Where = "ranks" if shard().of > 1 else "here" if _in_process(points) else "local"
    where: Where = here if options.place is None else "ray"
    workers = MANY if where == "ray" and options.workers is None else options.workers
    manner = Manner(where, workers, place=options.place, trackers=options.trackers or NO_TRACKERS)
    try:
        with signals() as stop, threads_restored(), main_hidden():
            try:
                away = options.place is not None
                means = ThisMachine(data, options.device, folder, options.timing, away, prepared.room)
                complete = run_study(
                    engine, Task(options.url, spec, points, means, prepared.space), watch, stop, manner
                )
            except Stopped as stopped:
                raise StudyInterrupted(spec.name, stopped.status, watch.saved_runs, watch.total) from None
    finally:
        engine.dispose()
    dismiss()
    return complete


@contextmanager
def signals(drain_on: Sequence[int] = ()) -> Iterator[Stop]:
    """Let SIGINT and SIGTERM stop a study at the end of an epoch; only the main thread of a process receives them."""
    from resbench.workers.shutdown import Stop, heard

    if threading.current_thread() is not threading.main_thread():
        yield Stop()
        return
    with heard(drain_on) as stop:
        yield stop


@contextmanager
def threads_restored() -> Iterator[None]:
    """A study that trains in this process sets the number of threads; what comes after it has its own again."""
    import torch

    threads = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@contextmanager
def main_hidden() -> Iterator[None]:
    """Prevent processes that start inside from importing the script of this one.

    `multiprocessing` would import it, and a script that runs a study outside of `if __name__ == "__main__"` would run it again in
    each of its workers. Workers need nothing of it.
    """
    names = vars(sys.modules["__main__"])
    before: dict[str, object] = {name: names.pop(name) for name in ("__spec__", "__file__") if name in names}
    names["__spec__"] = None
    try:
        yield
    finally:
        names.update(before)


def _refuse_too_large(prepared: Prepared, url: str, data: DataRecord) -> None:
    """Raises TooLarge for points that do not fit on the device; of one that has runs, none may be missing, which is seen
    where they would be trained. A search has left them out, by the memory that it was begun with.
    """
    from resbench.store.results.stored import from_database
    from resbench.study.resources.memory import lacks, refuse, without_runs

    room, seeds = prepared.room, prepared.spec.seeds
    if room is None or not prepared.spec.search.is_grid:
        return
    large = [point for point in prepared.points if lacks(point, data, room) is not None]
    if large:
        refuse(from_database(url, lambda engine: without_runs(engine, large, data.digest, seeds), large), data, room)


def _in_process(points: Sequence[Point]) -> bool:
    return any(point.recipe.plan.workers == 0 for point in points)
