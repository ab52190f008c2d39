"""Runs under way -> files beside the database, with a row each, and back.  No torch here: what a file holds is bytes.

Written under another name, synced, renamed, and only then told of in the database; two are kept. A file whose sha256 is another
is damaged, and the one before it serves.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Select, delete, insert, select

from resbench.store.location import locate
from resbench.store.records import canonical_json, now
from resbench.store.tables import rb_checkpoint
from resbench.store.transaction import reading, writing

KEPT = 2


def checkpoint_folder(url: str) -> Path:
    """`results.db.checkpoints` beside a file; of a server, `resbench.checkpoints` in the current folder."""
    path = locate(url).path
    return Path("resbench.checkpoints").resolve() if path is None else Path(f"{path.resolve()}.checkpoints")


def checkpoint_key(architecture: str, recipe: str, data: str, seeds: tuple[int, ...], way: str) -> str:
    """What must be the same for a checkpoint to be gone on with."""
    return sha256(canonical_json([architecture, recipe, data, list(seeds), way]).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """Of one thing under way."""

    engine: Engine
    folder: Path
    key: str

    def save(self, epoch: int, content: bytes) -> None:
        """Whole or not at all; the one before the last goes."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{self.key}.{epoch}"
        rough = path.with_suffix(f".{epoch}.{os.getpid()}.tmp")
        with rough.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        rough.replace(path)
        _sync(self.folder)
        values = {
            "key": self.key,
            "epoch": epoch,
            "path": str(path),
            "sha256": sha256(content).hexdigest(),
            "created_at": now(),
        }
        with writing(self.engine) as connection:
            connection.execute(insert(rb_checkpoint).values(values))
            old = list(connection.execute(self._newest().offset(KEPT)))
            connection.execute(delete(rb_checkpoint).where(rb_checkpoint.c.id.in_([row.id for row in old])))
        for row in old:
            if row.path != str(path):
                Path(row.path).unlink(missing_ok=True)

    def load(self) -> Iterator[bytes]:
        """Newest first; damaged and missing ones are passed over."""
        with reading(self.engine) as connection:
            rows = list(connection.execute(self._newest()))
        for row in rows:
            path = Path(row.path)
            content = path.read_bytes() if path.is_file() else b""
            if sha256(content).hexdigest() == row.sha256:
                yield content

    def drop(self) -> None:
        """What was under way is done; a file that was written and not told of goes too."""
        with writing(self.engine) as connection:
            connection.execute(delete(rb_checkpoint).where(rb_checkpoint.c.key == self.key))
        for path in self.folder.glob(f"{self.key}.*"):
            path.unlink(missing_ok=True)
        with suppress(OSError):  # others' lie there
            self.folder.rmdir()

    def _newest(self) -> Select[Any]:
        return select(rb_checkpoint).where(rb_checkpoint.c.key == self.key).order_by(rb_checkpoint.c.id.desc())


def _sync(folder: Path) -> None:
    """The new name itself."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
