"""Cell -> Runs.  Rebuilds the network from the database, trains each missing seed, saves each run as it ends.

A worker knows nothing but our own tables, so it may be another process, or on another machine.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from threading import Event
from typing import Protocol

import torch

from resbench.compiler.canonical import Canonical, canonical
from resbench.compiler.graph import BoundNetwork
from resbench.compiler.materialise import materialise
from resbench.compiler.network import build
from resbench.compiler.record import from_json
from resbench.data.dataset import Dataset, digest
from resbench.data.registry import load
from resbench.errors import BadInput, DatabaseError
from resbench.spec.recipe import RecipeSpec, recipe_from_json
from resbench.store.catalogue import get_architecture, get_data, get_recipe
from resbench.store.engine import Engine
from resbench.store.records import Cell, EpochRecord, RunRecord, TestScore
from resbench.store.runs import find_runs, link_run, save_run
from resbench.train.fit import OnEpoch, fit
from resbench.train.outcome import Epoch, Outcome


class CellWatcher(Protocol):
    """Who looks on while a cell runs; `epoch` is called from several threads."""

    def epoch(self, seed: int, epoch: Epoch) -> None: ...

    def saved(self, seed: int, outcome: Outcome) -> None: ...


@dataclass(frozen=True, slots=True)
class Job:
    """What a cell trains, rebuilt from the database."""

    bound: BoundNetwork
    canonical: Canonical
    recipe: RecipeSpec
    data: Dataset


def job(engine: Engine, architecture: str, recipe: str, data: str) -> Job:
    """Raises DatabaseError when what is stored has another identity than it is stored under."""
    bound = from_json(get_architecture(engine, architecture).spec)
    identity = canonical(bound)
    if identity.digest != architecture:
        raise DatabaseError(f"architecture {architecture}: what is stored has the digest {identity.digest}")
    dataset = load(get_data(engine, data).name)
    if digest(dataset) != data:
        raise BadInput(
            f"data set {dataset.name} is not the one of the study: its digest is {digest(dataset)}, not {data}"
        )
    spec = recipe_from_json(get_recipe(engine, recipe).spec)
    return Job(bound, identity, spec, dataset)


def train(work: Job, seed: int, device: torch.device, on_epoch: OnEpoch) -> Outcome:
    """One run: build, draw weights, fit."""
    network = build(work.bound)
    materialise(network, work.canonical.numbers, seed, work.recipe.init)
    return fit(network.to(device), work.canonical.numbers, work.recipe, work.data, seed, on_epoch)


@dataclass(frozen=True, slots=True)
class Slots:
    """How a cell is run: `workers` seeds side by side in threads, each with `threads` of torch's own.

    A function of the study's seeds and the machine alone, so that a cell that is run in two parts gives the same bits.
    """

    device: torch.device
    workers: int
    threads: int

    @staticmethod
    def on(device: torch.device, n_seeds: int) -> Slots:
        """Small nets gain little from a second core, so on a CPU each seed gets its own."""
        cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
        workers = min(n_seeds, cores) if device.type == "cpu" else 1
        return Slots(device, workers, max(1, cores // workers))


def run_cell(engine: Engine, study_id: int, cell: Cell, slots: Slots, environment: str, watch: CellWatcher) -> None:
    """Train the cell's seeds that have no run yet and save each as it ends; then raise what the first to fail raised.

    Ctrl-C reaches the thread that waits here; it waits no longer, and those that train stop at the end of their epoch.
    """
    work = job(engine, cell.architecture, cell.recipe, cell.data)
    found = find_runs(engine, cell.architecture, cell.recipe, cell.data, cell.seeds)
    for run in found.values():
        link_run(engine, study_id, cell.trial_id, run.id)
    torch.set_num_threads(slots.threads)
    missing = [seed for seed in cell.seeds if seed not in found]
    stop = Event()
    errors: list[BaseException] = []
    pool = ThreadPoolExecutor(slots.workers)
    try:
        futures = {pool.submit(train, work, s, slots.device, _unless(stop, s, watch)): s for s in missing}
        for future in as_completed(futures):
            error = future.exception()
            if error is not None:
                errors.append(error)
                continue
            run_id = save_run(engine, record(cell, futures[future], future.result(), environment))
            link_run(engine, study_id, cell.trial_id, run_id)
            watch.saved(futures[future], future.result())
    finally:
        stop.set()
        pool.shutdown(wait=False, cancel_futures=True)
    if errors:
        raise errors[0]


def _unless(stop: Event, seed: int, watch: CellWatcher) -> OnEpoch:
    """Tell of each epoch, until it is time to stop."""

    def told(epoch: Epoch) -> None:
        if stop.is_set():
            raise InterruptedError(f"seed {seed} was stopped after epoch {epoch.epoch}")
        watch.epoch(seed, epoch)

    return told


def record(cell: Cell, seed: int, outcome: Outcome, environment: str) -> RunRecord:
    last = outcome.epochs[-1]
    test = None if outcome.test_error_pct is None else TestScore(outcome.test_error_pct, outcome.test_loss)
    return RunRecord(
        architecture=cell.architecture,
        recipe=cell.recipe,
        data=cell.data,
        seed=seed,
        status=outcome.status,
        environment=environment,
        val_error_pct=last.val_error_pct,
        val_loss=last.val_loss,
        train_loss=last.train_loss,
        epochs=last.epoch,
        train_s=outcome.train_s,
        wall_s=outcome.wall_s,
        history=[EpochRecord(**asdict(epoch)) for epoch in outcome.epochs],
        test_score=test,
    )
