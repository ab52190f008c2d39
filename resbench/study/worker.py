"""`resbench worker`: this machine trains cells of a study that stands in the database, whoever coordinates it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from resbench.errors import ResbenchError
from resbench.measure.capacity import Capacity, capacity
from resbench.plugins.active import named_folders
from resbench.store.cells import LEASE_S
from resbench.store.checkpoint_place import claim
from resbench.store.checkpoints import sweep
from resbench.store.engine import Engine
from resbench.store.patience import Patience
from resbench.store.recorded_plugins import use_plugins_of
from resbench.study.assist import Helper, assist
from resbench.study.duty import Limit
from resbench.study.host import worker_record
from resbench.study.pulse import at_work
from resbench.study.shift import Shift
from resbench.study.stop import Stop
from resbench.study.torch_trainer import TorchTrainer
from resbench.study.watcher import Watcher


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

    from resbench.train.device import best_device

    there = capacity(torch.device(device) if device else best_device())
    return None if there is None else replace(there, devices=1)
