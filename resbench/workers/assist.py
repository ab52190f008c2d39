"""A study that another process coordinates -> this one trains its cells beside, as long as it is run or has any left."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from resbench.errors import ResbenchError
from resbench.measure.capacity import Capacity, capacity
from resbench.plugins.active import named_folders
from resbench.store.checkpoints.place import claim
from resbench.store.connection.retry import Patience
from resbench.store.open import Engine
from resbench.store.queue.cells import LEASE_S, is_open, open_cells
from resbench.store.queue.leadership import coordinator_of, role_holder, take_role
from resbench.store.queue.workers import worker_by_name
from resbench.store.records import Lease, WorkerRow
from resbench.store.results.checkpoints import sweep
from resbench.store.results.recorded_plugins import use_plugins_of
from resbench.store.results.studies import get_study, study_names, trials_of_study
from resbench.workers.cell_plan import needs_of, within
from resbench.workers.config import Limit
from resbench.workers.events import Narrator, Watcher
from resbench.workers.executors.factory import Shift
from resbench.workers.heartbeat import at_work
from resbench.workers.processes import is_gone, worker_record
from resbench.workers.shutdown import Stop
from resbench.workers.tags import TagCheck
from resbench.workers.torch_trainer import TorchTrainer
from resbench.workers.trainer import Trainer

LOOK_S = 0.2


@dataclass(frozen=True, slots=True)
class Helper:
    """`trainers`: given the study's number. `epochs`: of runs, by the name of their trial, where they are known. `memory`: bytes
    that its workers share, asked only for several.
    """

    study: str
    trainers: Callable[[int], Sequence[Trainer]]
    count: int
    epochs: Mapping[str, int]
    memory: Callable[[], Capacity | None] = lambda: None


def assist(engine: Engine, shift: Shift, helper: Helper, watch: Watcher) -> Limit | None:
    """Train until nobody coordinates the study and no cell is left that this worker may train, or until a limit of the shift is
    reached: then that is returned. Raises as an executor does.
    """
    other = coordinator(engine, helper.study)
    if other is not None:
        watch.note(f"process {other.worker.pid} on {other.worker.host} runs this study; this one trains beside it")
    with shift.stop.at_once():
        while not _has_cells(engine, helper.study):
            if coordinator(engine, helper.study) is None:
                return None
            if shift.stop.drained:
                return "signal"
            if shift.until is not None and time.monotonic() > shift.until:
                return "time"
            if shift.stop.asked:
                shift.stop.leave()
            time.sleep(LOOK_S)
    study_id = get_study(engine, helper.study).id

    fitting = TagCheck(engine, study_id, shift.record.tags, watch.note)

    def is_over() -> bool:
        return not fitting.is_open() and coordinator(engine, helper.study) is None

    names = {
        row.id: (row.trial.name, helper.epochs.get(row.trial.name, 0)) for row in trials_of_study(engine, study_id)
    }
    with shift.executor(engine, shift.duty(study_id, helper.trainers(study_id)), Narrator(watch, names)) as executor:
        count = helper.count if shift.workers is None else shift.workers
        if count > 1:
            count, short = within(helper.memory(), needs_of(open_cells(engine, study_id)), count)
            if short:
                watch.note(short)
        limit = executor.run(count, is_over)
    if limit is None or is_over():
        return None
    return limit if limit == "cells" or fitting.is_open() or not is_open(engine, study_id) else "tags"


def coordinator(engine: Engine, study: str) -> WorkerRow | None:
    """The process that coordinates the study now, unless it is known to be dead."""
    name = role_holder(engine, coordinator_of(study))
    row = None if name is None else worker_by_name(engine, name)
    return None if row is None or is_gone(row.worker) else row


def take(engine: Engine, study: str, worker: str, lease_s: float) -> Lease | None:
    """The role of coordinator, also from a holder that is known to be dead; None where another has it."""
    gone = role_holder(engine, coordinator_of(study)) if coordinator(engine, study) is None else None
    return take_role(engine, coordinator_of(study), worker, lease_s, gone=gone)


def _has_cells(engine: Engine, study: str) -> bool:
    return study in study_names(engine) and is_open(engine, get_study(engine, study).id)


@dataclass(frozen=True, slots=True)
class Employment:
    """`device`: empty for the best there is. `max_cells`, `time_s`: after which no more cells are taken."""

    url: str
    study: str
    folder: Path
    device: str = ""
    slots: int = 1
    tags: tuple[str, ...] = ()
    max_cells: int | None = None
    time_s: float | None = None
    lease_s: float = LEASE_S


def run_worker(engine: Engine, job: Employment, watch: Watcher, stop: Stop) -> Limit | None:
    """Until there is nothing left that it could train, and nobody who could queue more. Returns the limit that ended it sooner.

    Raises BadInput for an unknown study, Stopped after a wish to stop.
    """
    until = None if job.time_s is None else time.monotonic() + job.time_s
    use_plugins_of(engine, job.study)
    record = worker_record(job.study, job.device or "best", job.slots, job.tags)
    patience = Patience(note=watch.note, stopped=lambda: bool(stop.asked))

    def trainers(study_id: int) -> Sequence[TorchTrainer]:
        return [TorchTrainer(study_id, job.folder, job.device, None, named_folders())]

    with at_work(engine, record, stop, patience, job.lease_s) as pulse:
        news = patience.do(lambda: claim(engine, job.folder))
        if news is not None:
            watch.note(news)
        shift = Shift(
            job.url, record, stop, pulse, workers=job.slots, lease_s=job.lease_s, max_cells=job.max_cells, until=until
        )  # fmt: skip
        limit = assist(engine, shift, Helper(job.study, trainers, job.slots, {}, lambda: _memory(job.device)), watch)
        with suppress(ResbenchError):  # the coordinator does the same, where it has the same folder
            sweep(engine, job.folder)
    return limit


def _memory(device: str) -> Capacity | None:
    """Of one device: all slots of a worker train on the same."""
    import torch  # a worker of one slot does without it: its child has it

    from resbench.train.execution.device import best_device

    there = capacity(torch.device(device) if device else best_device())
    return None if there is None else replace(there, devices=1)
