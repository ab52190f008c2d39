"""The command line in this process, in a folder of its own: `rb("study", "run", "small.yaml")` -> Said."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import chdir, closing, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest

SMALL = """\
study: small
doc: Two units that a second tells apart
network: {use: resnet_cifar, depth: 8, width: 2}
units: [plain, original]
data: digits
recipe: {use: he2016_small, epochs: 1, batch: 32, warmup: null, lr: 0.1}
seeds: 2
"""


@dataclass(frozen=True)
class Said:
    """What a command said, and its exit status."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Rb = Callable[..., Said]


@contextmanager
def one_core() -> Iterator[None]:
    """Tests may run side by side: what starts in here has one core, since two threads that share one wait for each other."""
    if sys.platform != "linux":
        yield
        return
    cores = os.sched_getaffinity(0)
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    os.sched_setaffinity(0, {sorted(cores)[worker % len(cores)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def say(words: Sequence[object], folder: Path) -> Said:
    """`resbench WORDS` in a folder, as the entry point runs it; no output goes anywhere else."""
    import torch

    from resbench.cli.main import run

    out, err, argv, threads, status = StringIO(), StringIO(), sys.argv, torch.get_num_threads(), 0
    sys.argv = ["resbench", *map(str, words)]
    try:
        with one_core(), chdir(folder), redirect_stdout(out), redirect_stderr(err):
            run()
    except SystemExit as end:
        status = int(end.code or 0)
    finally:
        sys.argv = argv
        torch.set_num_threads(threads)  # a study sets it for its own process
    return Said(status, out.getvalue(), err.getvalue())


@pytest.fixture
def rb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rb:
    """The command line in an empty folder, whose database is resbench.db there."""
    monkeypatch.delenv("RESBENCH_DB", raising=False)
    return lambda *words: say(words, tmp_path)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """The study `small` in that folder, not run yet."""
    path = tmp_path / "small.yaml"
    path.write_text(SMALL, "utf-8")
    return path


@dataclass(frozen=True)
class Database:
    """What stands in a file, asked past resbench."""

    path: Path

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.path)) as connection:
            return connection.execute(sql).fetchall()

    def one(self, sql: str) -> Any:
        ((value,),) = self.rows(sql)
        return value

    def change(self, sql: str) -> None:
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute(sql)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "resbench.db")


@pytest.fixture(scope="session")
def ran_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the study `small` ran: two units, two seeds."""
    folder = tmp_path_factory.mktemp("ran")
    (folder / "small.yaml").write_text(SMALL, "utf-8")
    said = say(["study", "run", "small.yaml", "--db", "resbench.db"], folder)
    assert said.status == 0, said.err
    return folder


@pytest.fixture
def ran(ran_once: Path, small: Path) -> None:
    """The same study, run, in the test's own folder."""
    copyfile(ran_once / "resbench.db", small.parent / "resbench.db")


@pytest.fixture(scope="session")
def finished(ran_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a study of three units and three seeds that ran, for tests that only read."""
    folder = tmp_path_factory.mktemp("finished")
    for name in ("small.yaml", "resbench.db"):
        copyfile(ran_once / name, folder / name)
    said = say(["study", "run", "small.yaml", "units+=full_preactivation", "seeds=3", "--db", "resbench.db"], folder)
    assert said.status == 0, said.err
    return folder


@pytest.fixture
def read(finished: Path, monkeypatch: pytest.MonkeyPatch) -> Rb:
    """The command line in the folder of the finished study."""
    monkeypatch.delenv("RESBENCH_DB", raising=False)
    return lambda *words: say(words, finished)
