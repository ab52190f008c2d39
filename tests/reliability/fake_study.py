"""A study whose trainer is arithmetic: the real coordinator, cells, leases, children, checkpoints and rows, without torch.

A run's weights are one whole number, and an epoch is one step of a fixed map, so what must come out is known beforehand.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from resbench.compiler.identity.serialize import from_json
from resbench.errors import ResbenchError, StorageError
from resbench.language.library.library import Library
from resbench.language.study.study import StudySpec, parse_study, recipe_at
from resbench.language.yaml.problems import Problems
from resbench.measure.capacity import Capacity
from resbench.ops.schema import table
from resbench.search.point import Point
from resbench.store.checkpoints.weights import write_weights
from resbench.store.connection.retry import Patience
from resbench.store.open import Engine, open_store
from resbench.store.records import Cell, DataRecord, EnvironmentRecord, EpochRecord, RunRecord, WeightsRecord
from resbench.store.results.catalogue import put_environment
from resbench.store.results.checkpoints import Checkpoints, checkpoint_key
from resbench.store.results.runs import find_runs, link_run, save_runs_of
from resbench.study.request import RunOptions, StudyRequest
from resbench.study.resources.resources import CellSchedule, Missing
from resbench.study.run import run_study
from resbench.workers.cell_plan import CellPlan
from resbench.workers.events import CellReporter
from resbench.workers.executors import slot
from resbench.workers.shutdown import Stopped, handle_signals
from resbench.workers.trainer import Train

PRIME = 2**61 - 1
_GROWN: list[bytearray] = []
ENVIRONMENT = EnvironmentRecord(
    package_version="0", git_commit=None, git_dirty=None, python="3", torch="none", device="fake", threads=1,
    deterministic=True, tf32=False, plugins={}, platform="fake",
)  # fmt: skip


@dataclass(frozen=True)
class Fake:
    """What a fake study is: `points` as written by `describe`; `step_s`: how long an epoch takes."""

    url: str
    study: str
    points: Sequence[dict[str, object]]
    folder: str
    epochs: int = 4
    width: int = 1
    workers: int = 2
    step_s: float = 0.0
    lease_s: float = 2.0
    log: str = ""
    cell: dict[str, object] = field(default_factory=dict)  # limits of each
    faults: dict[str, str] = field(default_factory=dict)  # seed -> what happens in its second epoch; `once:` in front
    grace_s: float = 0.5  # between SIGTERM and SIGKILL
    fsize: int = 0  # bytes that a file may have, 0 for any
    hold: str = ""  # a file: while it is there, an epoch takes half a second


def weights_after(digest: str, seed: int, epoch: int) -> int:
    weights = int(digest[3:15], 16) + seed
    for number in range(1, epoch + 1):
        weights = (weights * 48271 + number * (seed + 1)) % PRIME
    return weights


def error_pct(weights: int) -> float:
    return weights % 9000 / 100


@dataclass(frozen=True)
class FakeTrainer:
    study_id: int
    fake: Fake

    def ready(self) -> Train:
        return self.train

    def train(self, engine: Engine, cell: Cell, reporter: CellReporter) -> None:
        patience = Patience()
        found = patience.do(lambda: find_runs(engine, cell.architecture, cell.recipe, cell.data, cell.seeds))
        for seed, run in found.items():
            patience.do(partial(link_run, engine, self.study_id, cell.trial_id, run.id))
            reporter.saved(seed, run.epochs, run.val_error_pct)
        seeds = tuple(seed for seed in cell.seeds if seed not in found)
        if not seeds:
            return
        where = patience.do(lambda: put_environment(engine, ENVIRONMENT))
        key = checkpoint_key(cell.architecture, cell.recipe, cell.data, seeds, "fake")
        kept = Checkpoints(engine, Path(self.fake.folder), key, cell)
        for content in patience.do(kept.load):
            held = json.loads(content)
            break
        else:
            held = {"epoch": 0, "weights": [weights_after(cell.architecture, seed, 0) for seed in seeds]}
        for epoch in range(held["epoch"] + 1, self.fake.epochs + 1):
            reporter.step()
            time.sleep(0.5 if self.fake.hold and Path(self.fake.hold).exists() else self.fake.step_s)
            held = {
                "epoch": epoch,
                "weights": [(w * 48271 + epoch * (s + 1)) % PRIME for s, w in zip(seeds, held["weights"], strict=True)],
            }
            self.note(f"epoch {cell.id} {epoch}")
            for seed in seeds if epoch == 2 else ():
                self.meet(self.fake.faults.get(str(seed), ""), seed)
            if epoch < self.fake.epochs:
                try:
                    Patience(full_s=0).do(partial(kept.save, epoch, json.dumps(held).encode()))
                except StorageError as error:
                    reporter.note(str(error))
            try:
                for seed, weights in zip(seeds, held["weights"], strict=True):
                    reporter.epoch(seed, epoch, error_pct(weights))
            except InterruptedError:
                kept.save(epoch, json.dumps(held).encode())
                raise
        rows = [
            replace(
                self.record(cell, seed, weights, where),
                weights=self.written(engine, kept.folder, json.dumps([seed, weights]).encode()),
            )
            for seed, weights in zip(seeds, held["weights"], strict=True)
        ]
        patience.do(lambda: save_runs_of(engine, rows, cell, self.study_id, key))
        for seed, weights in zip(seeds, held["weights"], strict=True):
            reporter.saved(seed, self.fake.epochs, error_pct(weights))
        kept.clear()

    def written(self, engine: Engine, folder: Path, content: bytes) -> WeightsRecord | None:
        """As workers/weights_keeper.py: a file that cannot be written costs no run."""
        with suppress(StorageError):
            return Patience(full_s=0).do(lambda: write_weights(engine, folder, content))
        return None

    def meet(self, fault: str, seed: int) -> None:
        kind = fault.removeprefix("once:")
        if kind != fault:
            marker = Path(f"{self.fake.log}.{seed}")
            if marker.exists():
                return
            marker.touch()
        if kind == "oom":
            raise MemoryError("no room")
        if kind == "error":
            raise ZeroDivisionError("on purpose")
        if kind == "segfault":
            ctypes.string_at(0)
        if kind == "exit":
            os._exit(7)
        if kind == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if kind == "grow":
            _GROWN.append(bytearray(b"x") * (300 * 2**20))
            time.sleep(30)
        while kind == "hang":
            time.sleep(1)

    def record(self, cell: Cell, seed: int, weights: int, where: str) -> RunRecord:
        history = [
            EpochRecord(epoch, val_error_pct=error_pct(weights_after(cell.architecture, seed, epoch)))
            for epoch in range(1, self.fake.epochs + 1)
        ]
        return RunRecord(
            cell.architecture, cell.recipe, cell.data, seed, "complete", where, error_pct(weights), float(weights % 997),
            epochs=self.fake.epochs, wall_s=0.1, history=history,
        )  # fmt: skip

    def note(self, line: str) -> None:
        """What was done, by whom, in the order of the machine: appended at once, so that no kill takes a part of a line."""
        if self.fake.log:
            with open(self.fake.log, "ab", buffering=0) as file:  # noqa: PTH123
                file.write(f"{line} {os.getpid()}\n".encode())


@dataclass(frozen=True)
class FakeResources:
    fake: Fake
    data: DataRecord = DataRecord("d1_fake", "fake", "1x8x8", 10, 100, 50, 50)  # noqa: RUF009
    device: str = "cpu"

    @property
    def folder(self) -> Path:
        return Path(self.fake.folder)

    def memory_mib(self, point: Point) -> float | None:
        return None

    def refuse(self, missing: Missing) -> None: ...

    def memory(self) -> Capacity | None:
        return None

    def slots(self) -> int:
        return self.fake.workers

    def plan(self, engine: Engine, missing: Missing) -> CellSchedule:
        return CellSchedule({i: CellPlan({"width": self.fake.width}) for i in missing}, self.fake.workers)

    def trainers(self, study_id: int) -> Sequence[FakeTrainer]:
        return [FakeTrainer(study_id, self.fake)]


class Lines:
    """Tells on stderr."""

    def planned(self, cached: int, new: int) -> None:
        print(f"{cached} cached, {new} new", file=sys.stderr, flush=True)

    def epoch(self, unit: str, seed: int, of: int, epoch: int, error_pct: float | None) -> None: ...

    def saved(self, unit: str, seed: int, of: int, epochs: int, error_pct: float | None) -> None:
        print(f"saved {unit} {seed} {error_pct}", file=sys.stderr, flush=True)

    def cell_failed(self, unit: str, error: str) -> None:
        print(f"FAILED {unit}: {error}", file=sys.stderr, flush=True)

    def note(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)


def study_of(text: str, folder: Path) -> StudySpec:
    path = folder / f"fake-{os.getpid()}.yaml"
    path.write_text(text, "utf-8")
    library, check = Library(table(), folder), Problems()
    spec = parse_study(library.read("study", path), library, check)
    check.done()
    assert spec is not None
    path.unlink()
    return spec


def points_of(fake: Fake, spec: StudySpec) -> list[Point]:
    recipe = recipe_at(spec, {})
    recipe = recipe.model_copy(update={"plan": recipe.plan.model_copy(update=fake.cell)})
    return [
        Point(str(p["name"]), str(p["unit"]), {}, {}, from_json(str(p["record"])), str(p["digest"]), 10, 20, recipe, fake.epochs)
        for p in fake.points
    ]  # fmt: skip


def run_fake(fake: Fake, start_method: str = "fork") -> int:
    """`study run` with another trainer: its exit status."""
    slot.GRACE_S = fake.grace_s
    if fake.fsize:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (fake.fsize, resource.RLIM_INFINITY))
    spec = study_of(fake.study, Path(fake.folder).parent)
    try:
        engine = open_store(fake.url, create=True)
        with handle_signals() as shutdown:
            request = StudyRequest(spec, points_of(fake, spec))
            options = RunOptions(url=fake.url, lease_s=fake.lease_s, start_method=start_method)
            whole = run_study(engine, request, FakeResources(fake), options, progress=Lines(), shutdown=shutdown)
    except Stopped as stopped:
        return stopped.status
    except ResbenchError as error:
        print(error, file=sys.stderr, flush=True)
        return error.exit_status
    return 0 if whole else 1
