"""The command line in this process, and what stands in a database afterwards; fixtures for both are in conftest.py."""

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
from typing import Any

SMALL = """\
study: small
doc: Two units that a second tells apart
network: {use: resnet_cifar, depth: 8, width: 2}
units: [plain, original]
data: digits
recipe: {use: he2016_small, epochs: 1, batch: 64, warmup: null, lr: 0.1, plan: {workers: 0}}
seeds: 2
keep: none
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
