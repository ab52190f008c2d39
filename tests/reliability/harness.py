"""Fake studies in processes that can be killed, and what must be true of the database whatever was done to them."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from shutil import copyfile
from typing import Any

import optuna
from fake_study import Fake, error_pct, weights_after
from sqlalchemy import Engine, text

from resbench.store.checkpoints.mark import MARK
from resbench.store.connection.transaction import reading
from resbench.store.open import open_store

UNITS = ("original", "full_preactivation", "plain")
STUDY = """\
study: fake
network: {{use: resnet_cifar, depth: 8, width: 2}}
units: [{units}]
data: digits
recipe: {{use: he2016_small, epochs: {epochs}}}
seeds: {seeds}
"""


def _state(pid: int) -> str:
    """Of a process, in one letter; empty where it is gone, or only its remains are there."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0].strip("ZX")
    except OSError:
        return ""


Stage = Callable[..., "Scene"]


class Zygote:
    """See zygote.py."""

    def __init__(self) -> None:
        command = [sys.executable, str(Path(__file__).with_name("zygote.py"))]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(wish) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(20)
        assert self.process.stdout is not None
        self.process.stdout.close()


@dataclass
class Running:
    """One `study run` of a fake study, the leader of a process group of its own."""

    zygote: Zygote
    pid: int
    err: Path

    def status(self) -> int | None:
        found: int | None = self.zygote.ask({"poll": self.pid})["status"]
        return found

    def wait(self, seconds: float = 600) -> int:
        deadline = time.monotonic() + seconds
        while (status := self.status()) is None:
            if time.monotonic() > deadline:
                os.killpg(self.pid, signal.SIGKILL)
                raise AssertionError(f"still running after {seconds} s: {self.err.read_text()[-3000:]}")
            time.sleep(0.01)
        return status

    def send(self, number: int, *, group: bool = False) -> None:
        with suppress(ProcessLookupError):
            (os.killpg if group else os.kill)(self.pid, number)

    def pause(self) -> None:
        """Stop all its processes, and wait until each of them stands still: the signal alone is only a wish."""
        self.send(signal.SIGSTOP, group=True)
        while not all(_state(pid) in ("T", "") for pid in (self.pid, *self.children())):
            time.sleep(0.005)

    def children(self) -> list[int]:
        """Its trainers."""
        found = []
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = path.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == self.pid and fields[0] not in "ZX":
                found.append(int(path.parent.name))
        return sorted(found)


@dataclass
class Scene:
    """A folder with a fake study's database, and what runs in it."""

    zygote: Zygote
    folder: Path
    fake: Fake
    units: Sequence[str]
    seeds: int
    numbers: list[int] = field(default_factory=list)

    def start(self, env: Mapping[str, str] = {}, **changes: Any) -> Running:
        self.numbers.append(len(self.numbers))
        err = self.folder / f"err-{len(self.numbers)}"
        err.touch()
        fake = asdict(replace(self.fake, **changes))
        return Running(self.zygote, self.zygote.ask({"run": fake, "env": dict(env), "err": str(err)})["pid"], err)

    def finish(self, most: int = 6, env: Mapping[str, str] = {}, **changes: Any) -> list[int]:
        """The same command until it says that it is done: the statuses."""
        statuses = []
        for _ in range(most):
            statuses.append(self.start(env, **changes).wait())
            if statuses[-1] == 0:
                return statuses
        raise AssertionError(f"not done after {statuses}: {self.told()[-4000:]}")

    def told(self) -> str:
        return "".join(f"--- {path.name}\n{path.read_text()}" for path in sorted(self.folder.glob("err-*")))

    @cached_property
    def engine(self) -> Engine:
        return open_store(self.fake.url, create=False)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with reading(self.engine) as connection:
            return [tuple(row) for row in connection.execute(text(sql))]

    def wait_for(self, sql: str, seconds: float = 600) -> list[tuple[Any, ...]]:
        """Until the query has a row."""
        deadline = time.monotonic() + seconds
        while not (found := self.rows(sql)):
            assert time.monotonic() < deadline, f"{sql}: nothing after {seconds} s: {self.told()[-3000:]}"
            time.sleep(0.01)
        return found

    def epochs_trained(self) -> int:
        path = Path(self.fake.log)
        return sum(line.startswith("epoch") for line in path.read_text().splitlines()) if path.exists() else 0

    def check(self, *, open_ok: bool = False) -> None:
        """Every invariant of a study that has finished."""
        problems = [*self.broken(open_ok=open_ok)]
        assert problems == [], "\n".join([*problems, self.told()[-6000:]])

    def broken(self, *, open_ok: bool) -> list[str]:
        found = []
        digests = {str(p["digest"]): str(p["name"]) for p in self.fake.points}
        runs = self.rows(
            "SELECT architecture, seed, status, val_error_pct, epochs FROM rb_run ORDER BY architecture, seed"
        )
        wanted = sorted((digest, seed) for digest in digests for seed in range(self.seeds))
        if [(run[0], run[1]) for run in runs] != wanted:
            found.append(f"runs are not those that were asked for: {[(digests.get(r[0]), r[1]) for r in runs]}")
        for digest, seed, status, error, epochs in runs:
            expected = error_pct(weights_after(digest, seed, self.fake.epochs))
            if (status, error, epochs) != ("complete", expected, self.fake.epochs):
                found.append(f"run {digests.get(digest)} {seed}: {status} {error} after {epochs}, not {expected}")
        if not open_ok and (rows := self.rows("SELECT id, status FROM rb_cell WHERE status IN ('queued', 'running')")):
            found.append(f"cells are open: {rows}")
        if rows := self.rows("SELECT cell_id, token, worker FROM rb_attempt WHERE outcome = 'running'"):
            found.append(f"attempts run without a lease: {rows}")
        twice = "SELECT cell_id, COUNT(*) FROM rb_attempt WHERE outcome = 'done' GROUP BY cell_id HAVING COUNT(*) > 1"
        if rows := self.rows(twice):
            found.append(f"cells were done more than once: {rows}")
        late = """SELECT a.cell_id FROM rb_attempt a JOIN rb_cell c ON c.id = a.cell_id
            WHERE a.outcome = 'done' AND a.token <> c.token"""
        if rows := self.rows(late):
            found.append(f"a result is not of the highest token: {rows}")
        if rows := self.rows("SELECT key, epoch, path FROM rb_checkpoint"):
            found.append(f"checkpoints of what is done: {rows}")
        kept = {f"{digest}.safetensors" for (digest,) in self.rows("SELECT sha256 FROM rb_weights")}
        there = {path.name for path in Path(self.fake.folder).glob("*")} - ({MARK} if kept else set())
        if there != kept:
            found.append(
                f"files of what is done: {sorted(there - kept)}; weights that are gone: {sorted(kept - there)}"
            )
        if len(trials := self.rows("SELECT id FROM rb_trial")) != len(digests):
            found.append(f"trials: {trials}")
        found += self.optuna()
        if self.fake.url.startswith("sqlite"):
            with closing(sqlite3.connect(self.fake.url.removeprefix("sqlite:///"))) as connection:
                if (verdict := connection.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
                    found.append(f"integrity_check: {verdict}")
        return found

    def optuna(self) -> list[str]:
        """Its trials are complete, with the means of our runs; what a crash left without a row of ours has failed."""
        storage = optuna.storages.RDBStorage(self.fake.url.replace("postgresql://", "postgresql+psycopg://"))
        trials = optuna.load_study(study_name="fake", storage=storage).trials
        storage.engine.dispose()
        ours = dict(self.rows("SELECT number, name FROM rb_trial"))
        means = dict(self.rows("SELECT unit, AVG(val_error_pct) FROM v_runs GROUP BY unit"))
        found = []
        for trial in trials:
            name = ours.get(trial.number)
            if name is None and trial.state.name != "FAIL":
                found.append(f"Optuna's trial {trial.number} is {trial.state.name}, and not ours")
            elif name is not None and (trial.state.name != "COMPLETE" or abs((trial.value or 0) - means[name]) > 1e-9):
                found.append(
                    f"Optuna's trial {trial.number} ({name}): {trial.state.name} {trial.value}, ours {means[name]}"
                )
        return found


def describe(folder: Path) -> list[dict[str, object]]:
    """The units, bound, as data; needs torch."""
    from fake_study import study_of

    from resbench.compiler.identity.serialize import to_json
    from resbench.data.registry import info
    from resbench.language.library.library import Library
    from resbench.ops.schema import table
    from resbench.search.space import Space

    spec = study_of(STUDY.format(units=", ".join(UNITS), epochs=1, seeds=1), folder)
    points, _ = Space(spec, info(str(spec.data.name), spec.data.given), Library(table(), folder)).all()
    return [{"name": p.name, "unit": p.unit, "digest": p.digest, "record": to_json(p.bound)} for p in points]


def template(folder: Path) -> Path:
    """A database with the schema and Optuna's tables, and nothing in it: making one takes a second."""
    from resbench.store.optuna.storage import optuna_storage

    path = folder / "template.db"
    open_store(f"sqlite:///{path}", create=True).dispose()
    optuna_storage(f"sqlite:///{path}").engine.dispose()
    return path


def scene(
    zygote: Zygote, folder: Path, described: Sequence[dict[str, object]], database: Path | str, **settings: Any
) -> Scene:
    """`database`: a file to copy, or a URL. `units`, `seeds` and whatever a Fake has may be said."""
    folder.mkdir(parents=True, exist_ok=True)
    units, seeds = settings.pop("units", UNITS), settings.pop("seeds", 2)
    url = str(database)
    if isinstance(database, Path):
        copyfile(database, folder / "r.db")
        url = f"sqlite:///{folder / 'r.db'}"
    points = [point for point in described if point["name"] in units]
    epochs = settings.get("epochs", 4)
    study = STUDY.format(units=", ".join(units), epochs=epochs, seeds=seeds)
    fake = Fake(url, study, points, str(folder / "kept"), log=str(folder / "log"), **settings)
    return Scene(zygote, folder, fake, units, seeds)
