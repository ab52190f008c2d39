"""Runs under way -> files beside the database, with a row each, and back.  No torch here: what a file holds is bytes.

Written under another name, synced, renamed, and only then told of in the database; two are kept. A file whose sha256 is another
is damaged, and the one before it serves. Files are of one claim each (its token ends their names), so that a worker which lost
its cell overwrites nothing; they are looked for in the folder alone, whatever a row says.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import Engine, Select, delete, insert, select

from resbench.errors import StorageError
from resbench.failpoints import Failpoint, reach
from resbench.store.cells import hold
from resbench.store.location import locate
from resbench.store.records import canonical_json, now
from resbench.store.tables import rb_run, rb_run_plan, rb_study_run
from resbench.store.transaction import reading, writing
from resbench.store.work_records import Cell
from resbench.store.work_tables import rb_cell, rb_checkpoint

KEPT = 2


def checkpoint_folder(url: str, named: str | None = None) -> Path:
    """The one named; else `results.db.checkpoints` beside a file, and of a server `resbench.checkpoints` in the current folder.

    Workers on several machines go on where another stopped only if they share it.
    """
    if named:
        return Path(named).expanduser().resolve()
    path = locate(url).path
    return Path("resbench.checkpoints").resolve() if path is None else Path(f"{path.resolve()}.checkpoints")


def checkpoint_key(architecture: str, recipe: str, data: str, seeds: tuple[int, ...], way: str) -> str:
    """What must be the same for a checkpoint to be gone on with."""
    return sha256(canonical_json([architecture, recipe, data, list(seeds), way]).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """Of one thing under way, by whoever has claimed the cell."""

    engine: Engine
    folder: Path
    key: str
    cell: Cell

    def save(self, epoch: int, content: bytes) -> None:
        """Whole or not at all; the one before the last goes.

        Raises StorageError where the folder takes no file, with nothing half-written; Fenced where the cell was taken over.
        """
        path = self.folder / f"{self.key}.{epoch}.{self.cell.token}"
        rough = path.with_suffix(f".{os.getpid()}.tmp")
        try:
            self._write(rough, path, content)
        except OSError as error:
            with suppress(OSError):
                rough.unlink(missing_ok=True)
            raise StorageError(f"{self.folder}: no checkpoint could be written: {error.strerror or error}") from None
        reach(Failpoint.CHECKPOINT_RENAMED)
        values = {
            "key": self.key,
            "epoch": epoch,
            "path": path.name,
            "sha256": sha256(content).hexdigest(),
            "created_at": now(),
        }
        with writing(self.engine) as connection:
            hold(connection, self.cell)
            connection.execute(insert(rb_checkpoint).values(values))
            old = list(connection.execute(self._newest().offset(KEPT)))
            connection.execute(delete(rb_checkpoint).where(rb_checkpoint.c.id.in_([row.id for row in old])))
        reach(Failpoint.CHECKPOINT_TOLD)
        for row in old:
            if row.path != path.name:
                (self.folder / Path(row.path).name).unlink(missing_ok=True)

    def load(self) -> Iterator[bytes]:
        """Newest first; damaged and missing ones are passed over. The database is asked at once, the files one by one."""
        with reading(self.engine) as connection:
            told = [(self.folder / Path(row.path).name, row.sha256) for row in connection.execute(self._newest())]
        contents = ((path.read_bytes() if path.is_file() else b"", digest) for path, digest in told)
        return (content for content, digest in contents if sha256(content).hexdigest() == digest)

    def forget(self) -> None:
        """What was under way is given up. Raises Fenced."""
        with writing(self.engine) as connection:
            hold(connection, self.cell)
            connection.execute(delete(rb_checkpoint).where(rb_checkpoint.c.key == self.key))
        self.clear()

    def clear(self) -> None:
        """What was under way is saved, and no row tells of a checkpoint any more: remove the files."""
        for path in self.folder.glob(f"{self.key}.*"):
            path.unlink(missing_ok=True)
        with suppress(OSError):  # others' lie there
            self.folder.rmdir()

    def _write(self, rough: Path, path: Path, content: bytes) -> None:
        with self._opened(rough) as file:
            file.write(content)
            file.flush()
            reach(Failpoint.CHECKPOINT_WRITTEN)
            os.fsync(file.fileno())
        reach(Failpoint.CHECKPOINT_SYNCED)
        rough.replace(path)
        _sync(self.folder)

    def _opened(self, rough: Path) -> BinaryIO:
        """Another worker that is done may remove the empty folder between the two."""
        for _ in range(10):
            self.folder.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):
                return rough.open("wb")
        return rough.open("wb")

    def _newest(self) -> Select[Any]:
        return select(rb_checkpoint).where(rb_checkpoint.c.key == self.key).order_by(rb_checkpoint.c.id.desc())


def forget_stopped(engine: Engine, study_id: int) -> None:
    """Rows of checkpoints of runs that a search has stopped and does not go on with; `sweep` removes their files."""
    stopped = (
        select(rb_run_plan.c.plan)
        .join(rb_run, rb_run.c.id == rb_run_plan.c.run_id)
        .join(rb_study_run, rb_study_run.c.run_id == rb_run.c.id)
        .where(rb_study_run.c.study_id == study_id, rb_run.c.status == "stopped")
    )
    with writing(engine) as connection:
        plans = [json.loads(plan) for plan in connection.execute(stopped).scalars()]
        for key in {plan["checkpoint"] for plan in plans if "checkpoint" in plan}:
            connection.execute(delete(rb_checkpoint).where(rb_checkpoint.c.key == key))


def sweep(engine: Engine, folder: Path) -> int:
    """Remove files that no row tells of: a kill left them. Nothing is touched while any cell is running. Returns how many."""
    with reading(engine) as connection:
        if connection.execute(select(rb_cell.c.id).where(rb_cell.c.status == "running").limit(1)).first() is not None:
            return 0
        told = {Path(path).name for path in connection.execute(select(rb_checkpoint.c.path)).scalars()}
    stray = [path for path in folder.glob("*.*") if path.name not in told]
    for path in stray:
        path.unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()
    return len(stray)


def _sync(folder: Path) -> None:
    """The new name itself."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
