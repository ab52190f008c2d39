"""A study that another process coordinates -> this one trains its cells beside, as long as it is run or has any left."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from resbench.measure.capacity import Capacity
from resbench.store.cells import is_open, open_cells
from resbench.store.engine import Engine
from resbench.store.roles import coordinator_of, role_holder, take_role
from resbench.store.studies import get_study, study_names, trials_of_study
from resbench.store.work_records import Lease, WorkerRow
from resbench.store.workers import worker_called
from resbench.study.duty import Limit
from resbench.study.host import is_gone
from resbench.study.limits import needs_of, within
from resbench.study.narrator import Narrator
from resbench.study.shift import Shift
from resbench.study.tags import TagCheck
from resbench.study.trainer import Trainer
from resbench.study.watcher import Watcher

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
    row = None if name is None else worker_called(engine, name)
    return None if row is None or is_gone(row.worker) else row


def take(engine: Engine, study: str, worker: str, lease_s: float) -> Lease | None:
    """The role of coordinator, also from a holder that is known to be dead; None where another has it."""
    gone = role_holder(engine, coordinator_of(study)) if coordinator(engine, study) is None else None
    return take_role(engine, coordinator_of(study), worker, lease_s, gone=gone)


def _has_cells(engine: Engine, study: str) -> bool:
    return study in study_names(engine) and is_open(engine, get_study(engine, study).id)
