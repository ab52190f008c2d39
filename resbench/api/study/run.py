"""A study whose points are bound -> its runs: this process coordinates it, or works beside the one that does."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from resbench.api.study.decoding import Decoding
from resbench.api.study.events import Notifier
from resbench.errors import StudyInterrupted
from resbench.store.checkpoints.place import refuse_strangers
from resbench.store.open import open_store
from resbench.store.results.checkpoints import checkpoint_folder

if TYPE_CHECKING:
    from resbench.search.point import Point
    from resbench.store.records import DataRecord
    from resbench.study.request import RunOptions, StudyRequest
    from resbench.workers.shutdown import Shutdown

MANY = 10**6  # slots of a cluster: as many as it has room for


def run_request(request: StudyRequest, options: RunOptions, watch: Notifier) -> bool:
    """Run the study. Of several ranks the first keeps it, and the others follow it. Returns whether every cell came to its end.

    Data, recipes and ranks are looked at before anything is written. Raises StudyInterrupted after SIGINT or SIGTERM.
    """
    from resbench.data.notes import notes
    from resbench.study.resources.local import LocalResources, data_record
    from resbench.study.resources.memory import short_now
    from resbench.study.run import run_study
    from resbench.train.execution.ranks import shard
    from resbench.workers.data import loaded
    from resbench.workers.job import check_recipe, dismiss, follow
    from resbench.workers.shutdown import Stopped

    spec, points, device = request.spec, request.points, options.device
    assert device is not None
    data = data_record(spec, Decoding(watch.note))
    for point in points:
        check_recipe(point.recipe, device)
    _refuse_too_large(request, options.url, data)
    if shard().rank > 0:
        follow(device)
        return True
    for note in notes(loaded(data.name, data.settings)[0]):
        watch.note(note)
    if request.room is not None and (short := short_now(points, data, device)) is not None:
        watch.note(short)
    folder = checkpoint_folder(options.url, options.checkpoints)
    refuse_strangers(folder)
    engine = open_store(options.url, create=True)
    options, elsewhere = with_executor(options, points), options.cluster is not None
    resources = LocalResources(data, device, folder, options.timing, elsewhere, request.room)
    try:
        with signals() as shutdown, threads_restored(), main_hidden():
            try:
                complete = run_study(engine, request, resources, options, progress=watch, shutdown=shutdown)
            except Stopped as stopped:
                raise StudyInterrupted(spec.name, stopped.status, watch.saved_runs, watch.total) from None
    finally:
        engine.dispose()
    dismiss()
    return complete


def with_executor(options: RunOptions, points: Sequence[Point]) -> RunOptions:
    """Return the options with the executor that they and the recipes of the points ask for."""
    from resbench.train.execution.ranks import shard

    if options.cluster is not None:
        return replace(options, executor="ray", workers=MANY if options.workers is None else options.workers)
    if shard().of > 1:
        return replace(options, executor="ranks")
    in_process = any(point.recipe.plan.workers == 0 for point in points)
    return replace(options, executor="in_process" if in_process else "local")


@contextmanager
def signals(drain_on: Sequence[int] = ()) -> Iterator[Shutdown]:
    """Let SIGINT and SIGTERM stop a study at the end of an epoch; only the main thread of a process receives them."""
    from resbench.workers.shutdown import Shutdown, handle_signals

    if threading.current_thread() is not threading.main_thread():
        yield Shutdown()
        return
    with handle_signals(drain_on) as shutdown:
        yield shutdown


@contextmanager
def threads_restored() -> Iterator[None]:
    """Restore the number of threads: a study that trains in this process sets it."""
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


def _refuse_too_large(request: StudyRequest, url: str, data: DataRecord) -> None:
    """Raise TooLarge for points that do not fit on the device; of one that has runs, none may be missing, which is seen
    where they would be trained. A search has left them out, by the memory that it was begun with.
    """
    from resbench.store.results.stored import from_database
    from resbench.study.resources.memory import lacks, refuse, without_runs

    room, seeds = request.room, request.spec.seeds
    if room is None or not request.spec.search.is_grid:
        return
    large = [point for point in request.points if lacks(point, data, room) is not None]
    if large:
        refuse(from_database(url, lambda engine: without_runs(engine, large, data.digest, seeds), large), data, room)
