"""Four workers, 60 small real cells, a random process killed every 1 to 3 s for two minutes; then a quiet run of the same.

    python benchmarks/storm.py [--seconds 120] [--seed 0]

All runs finish; those of the storm equal those of the quiet run bit for bit; epochs trained again are at most the kills times the
checkpoint interval (one epoch here).
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from resbench.api.study.prepare import prepare
from resbench.store.open import Engine, open_store
from resbench.store.records import Cell
from resbench.store.results.checkpoints import checkpoint_folder
from resbench.study.request import RunOptions, StudyRequest
from resbench.study.run import run_study
from resbench.workers.events import CellReporter
from resbench.workers.shutdown import handle_signals
from resbench.workers.trainer import TorchTrainer, Train

if TYPE_CHECKING:
    from resbench.study.resources.local import LocalResources

UNITS = (  # of different architectures at this depth
    "original", "full_preactivation", "plain", "relu_before_addition", "constant_scaling", "exclusive_gating",
    "shortcut_only_gating", "conv1x1_shortcut", "dropout_shortcut", "squeeze_excitation",
)  # fmt: skip
CELLS, EPOCHS, WORKERS = 60, 10, 4


@dataclass(frozen=True)
class Logged:
    """A reporter that also writes each epoch down, so that what was trained twice can be counted."""

    reporter: CellReporter
    path: str
    architecture: str

    def step(self) -> None:
        self.reporter.step()

    def epoch(self, seed: int, epoch: int, error_pct: float | None) -> None:
        with open(self.path, "ab", buffering=0) as file:  # noqa: PTH123
            file.write(f"{self.architecture} {seed} {epoch}\n".encode())
        self.reporter.epoch(seed, epoch, error_pct)

    def saved(self, seed: int, epochs: int, error_pct: float | None) -> None:
        self.reporter.saved(seed, epochs, error_pct)

    def note(self, text: str) -> None:
        self.reporter.note(text)


@dataclass(frozen=True)
class LoggedTrainer:
    trainer: TorchTrainer
    path: str

    def ready(self) -> Train:
        train = self.trainer.ready()

        def logged(engine: Engine, cell: Cell, reporter: CellReporter) -> None:
            train(engine, cell, Logged(reporter, self.path, cell.architecture))

        return logged


class Quiet:
    """Nobody looks on."""

    def planned(self, cached: int, new: int) -> None: ...
    def epoch(self, unit: str, seed: int, of: int, epoch: int, error_pct: float | None) -> None: ...
    def saved(self, unit: str, seed: int, of: int, epochs: int, error_pct: float | None) -> None: ...
    def cell_failed(self, unit: str, error: str) -> None:
        print(f"FAILED {unit}: {error}", file=sys.stderr)

    def note(self, text: str) -> None: ...


class LoggedResources:
    """This machine, whose trainers write down what they do."""

    def __init__(self, machine: LocalResources, path: Path) -> None:
        self.machine, self.path = machine, path
        self.data, self.device, self.folder = machine.data, machine.device, machine.folder
        self.memory_mib, self.plan, self.slots, self.refuse, self.memory = (
            machine.memory_mib, machine.plan, machine.slots, machine.refuse, machine.memory,
        )  # fmt: skip

    def trainers(self, study_id: int) -> Sequence[LoggedTrainer]:
        return [LoggedTrainer(one, str(self.path)) for one in self.machine.trainers(study_id)]


def study(folder: Path) -> int:
    """One `study run` whose trainers write down what they do."""
    import torch

    from resbench.study.resources.local import LocalResources, data_record

    prepared = prepare(str(folder / "storm.yaml"), (), None)
    url = f"sqlite:///{folder / 'r.db'}"

    engine = open_store(url, create=True)
    machine = LocalResources(data_record(prepared.spec), torch.device("cpu"), checkpoint_folder(url))
    resources = LoggedResources(machine, folder / "epochs.log")
    request, options = StudyRequest(prepared.spec, prepared.points), RunOptions(url=url, workers=1)
    with handle_signals() as shutdown:
        complete = run_study(engine, request, resources, options, progress=Quiet(), shutdown=shutdown)
        return 0 if complete else 1


def start(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, __file__, "--study", str(folder)], start_new_session=True)


def family(pid: int) -> list[int]:
    """The process and all its trainers."""
    found = [pid]
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            words = path.with_name("cmdline").read_bytes()
            if int(fields[1]) == pid and fields[0] not in "ZX" and b"spawn_main" in words:
                found.append(int(path.parent.name))
    return found


def storm(folder: Path, seconds: float, seed: int) -> int:
    """Several `study run`s of one worker each: the first coordinates, the others help, and take over. Returns the kills."""
    chance, kills, runs = random.Random(seed), 0, [start(folder) for _ in range(WORKERS)]
    while not (folder / "epochs.log").exists():  # planning is not what is tried here
        time.sleep(0.1)
    began = time.monotonic()
    while True:
        raging = time.monotonic() - began < seconds
        time.sleep(chance.uniform(1, 3) if raging else 0.2)
        for number, process in enumerate(runs):
            status = process.poll()
            if status == 0:
                for other in runs:
                    other.wait()
                return kills
            if status is not None:
                runs[number] = start(folder)
        if raging:
            with suppress(ProcessLookupError):
                os.kill(chance.choice([pid for process in runs for pid in family(process.pid)]), signal.SIGKILL)
                kills += 1


NUMBERS = """SELECT unit, seed, epoch, train_loss, train_error_pct, val_loss, val_error_pct FROM v_epochs
    ORDER BY unit, seed, epoch"""


def rows(folder: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / "r.db")) as connection:
        return connection.execute(sql).fetchall()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--study", type=Path)
    options = parser.parse_args()
    if options.study:
        sys.exit(study(options.study))
    with tempfile.TemporaryDirectory() as name:
        stormy, quiet = Path(name) / "stormy", Path(name) / "quiet"
        seeds = CELLS // len(UNITS)
        text = (
            f"study: storm\nnetwork: {{use: resnet_cifar, depth: 8, width: 2}}\nunits: [{', '.join(UNITS)}]\ndata: digits\n"
            f"recipe: {{use: he2016_small, epochs: {EPOCHS}, batch: 32, warmup: null, lr: 0.1, checkpoint_every: {{epochs: 1}}, "
            f"plan: {{width: 1, threads: 1, layout: contiguous}}}}\nseeds: {seeds}\n"
        )
        for folder in (stormy, quiet):
            folder.mkdir()
            (folder / "storm.yaml").write_text(text, "utf-8")
        began = time.monotonic()
        kills = storm(stormy, options.seconds, options.seed)
        took = time.monotonic() - began
        began = time.monotonic()
        quietly = [start(quiet) for _ in range(WORKERS)]
        assert [process.wait() for process in quietly] == [0] * WORKERS
        calm = time.monotonic() - began
        told = (stormy / "epochs.log").read_text().splitlines()
        outcomes = rows(stormy, "SELECT outcome, kind, COUNT(*) FROM rb_attempt GROUP BY outcome, kind ORDER BY 1, 2")
        equal = rows(stormy, NUMBERS) == rows(quiet, NUMBERS)
        ((runs,),) = rows(stormy, "SELECT COUNT(*) FROM rb_run WHERE status = 'complete'")
        ((whole,),) = rows(stormy, "PRAGMA integrity_check")
        wasted = len(told) - len(set(told))
        print(f"{kills} kills in {took:.0f} s (a quiet run: {calm:.0f} s); {runs} of {CELLS} runs finished")
        print(f"epochs trained again: {wasted} of {CELLS * EPOCHS} (allowed: {kills}); attempts: {outcomes}")
        print(f"bit for bit as the quiet run: {equal}; integrity: {whole}")
        assert (runs, equal, whole) == (CELLS, True, "ok")
        assert wasted <= kills


if __name__ == "__main__":
    main()
