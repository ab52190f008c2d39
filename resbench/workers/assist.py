"""A study that another process coordinates -> this one trains its cells beside, as long as it is run or has any left."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from resbench.errors import ResbenchError
from resbench.measure.capacity import Capacity, capacity
from resbench.plugins.active import named_folders
from resbench.store.connection.retry import Patience
from resbench.store.open import Engine
from resbench.store.queue.cells import is_open, open_cells
from resbench.store.queue.leadership import coordinator_of, role_holder, take_role
from resbench.store.queue.tags import TagCheck
from resbench.store.queue.workers import worker_by_name
from resbench.store.records import Lease, WorkerRow
from resbench.store.results.checkpoints import sweep
from resbench.store.results.recorded_plugins import use_plugins_of
from resbench.store.results.studies import get_study, study_names, trials_of_study
from resbench.workers.cell_plan import CellPlan, workers_that_fit
from resbench.workers.events import Progress, ProgressRelay
from resbench.workers.executors.base import ExecutorKind, RayCluster
from resbench.workers.executors.factory import make_executor
from resbench.workers.processes import is_gone, worker_record
from resbench.workers.shutdown import Shutdown
from resbench.workers.trainer import TorchTrainer, Trainer
from resbench.workers.worker import Worker, WorkerLimit, WorkerOptions, claim_folder, register_worker

LOOK_S = 0.2


def assist(
    worker: Worker,
    trainers: Callable[[int], Sequence[Trainer]],
    progress: Progress,
    *,
    count: int,
    memory: Callable[[], Capacity | None] = lambda: None,
    epochs: Mapping[str, int] | None = None,
    kind: ExecutorKind = "local",
    cluster: RayCluster | None = None,
) -> WorkerLimit | None:
    """Train the cells of the worker's study until nobody coordinates it and no cell is left that it may train.

    Args:
        worker: Under whose name cells are claimed.
        trainers: Given the study's number, what trains.
        progress: What a person is shown.
        count: Cells that are trained at a time.
        memory: What the workers share, asked only where there are several.
        epochs: Of runs, by the name of their trial, where they are known.
        kind: The executor.
        cluster: Of Ray.

    Returns:
        The limit of the worker that ended it sooner.

    Raises:
        Stopped: After a request to stop; and what an executor raises.
    """
    engine, shutdown, study = worker.engine, worker.shutdown, worker.record.study
    other = find_coordinator(engine, study)
    if other is not None:
        progress.note(f"process {other.worker.pid} on {other.worker.host} runs this study; this one trains beside it")
    with shutdown.interruptible():
        while not _has_cells(engine, study):
            if find_coordinator(engine, study) is None:
                return None
            if shutdown.drained:
                return "signal"
            if worker.is_late:
                return "time"
            if shutdown.requested:
                shutdown.leave()
            time.sleep(LOOK_S)
    study_id, known = get_study(engine, study).id, epochs or {}

    fitting = TagCheck(engine, study_id, worker.record.tags, progress.note)

    def is_over() -> bool:
        return not fitting.is_open() and find_coordinator(engine, study) is None

    names = {row.id: (row.trial.name, known.get(row.trial.name, 0)) for row in trials_of_study(engine, study_id)}
    relay = ProgressRelay(progress, names)
    with make_executor(worker, study_id, trainers(study_id), relay, kind=kind, cluster=cluster) as executor:
        if count > 1:
            needs = [CellPlan.from_json(cell.plan).needs_bytes for cell in open_cells(engine, study_id)]
            count, warning = workers_that_fit(memory(), needs, count)
            if warning:
                progress.note(warning)
        limit = executor.run(count, is_over)
    if limit is None or is_over():
        return None
    return limit if limit == "cells" or fitting.is_open() or not is_open(engine, study_id) else "tags"


def find_coordinator(engine: Engine, study: str) -> WorkerRow | None:
    """Return the process that coordinates the study now, unless it is known to be dead."""
    name = role_holder(engine, coordinator_of(study))
    row = None if name is None else worker_by_name(engine, name)
    return None if row is None or is_gone(row.worker) else row


def take_coordinator_role(worker: Worker) -> Lease | None:
    """Take the role of coordinator, also from a holder that is known to be dead. None where another has it."""
    engine, study, lease_s = worker.engine, worker.record.study, worker.options.lease_s
    gone = role_holder(engine, coordinator_of(study)) if find_coordinator(engine, study) is None else None
    return take_role(engine, coordinator_of(study), worker.name, lease_s, gone=gone)


def _has_cells(engine: Engine, study: str) -> bool:
    return study in study_names(engine) and is_open(engine, get_study(engine, study).id)


def run_worker(
    engine: Engine, study: str, options: WorkerOptions, progress: Progress, shutdown: Shutdown
) -> WorkerLimit | None:
    """Train until there is nothing left that this worker could train, and nobody who could queue more.

    Returns:
        The limit that ended it sooner.

    Raises:
        BadInput: For an unknown study.
        Stopped: After a request to stop.
    """
    use_plugins_of(engine, study)
    slots = options.slots
    record = worker_record(study, options.device or "best", slots, options.tags)
    patience = Patience(note=progress.note, stopped=lambda: bool(shutdown.requested))

    def trainers(study_id: int) -> Sequence[TorchTrainer]:
        return [TorchTrainer(study_id, options.folder, options.device, None, named_folders())]

    with register_worker(engine, record, options, shutdown, patience) as worker:
        news = claim_folder(worker, patience)
        if news is not None:
            progress.note(news)
        limit = assist(worker, trainers, progress, count=slots, memory=lambda: _memory(options.device))
        with suppress(ResbenchError):  # the coordinator does the same, where it has the same folder
            sweep(engine, options.folder)
    return limit


def _memory(device: str) -> Capacity | None:
    """Return the memory of one device: all slots of a worker train on the same."""
    import torch  # a worker of one slot does without it: its child has it

    from resbench.train.execution.device import best_device

    there = capacity(torch.device(device) if device else best_device())
    return None if there is None else replace(there, devices=1)
