"""Checkpoints of unfinished runs -> files beside the database, with a row each, and back.  No torch here: a file holds bytes.

A file is written under a temporary name, synced, renamed, and only then recorded in the database; two are kept. A file with
another sha256 is damaged, and the one before it is used. A file belongs to one claim (its name ends with the token), so that a
worker which lost its cell overwrites nothing. Files are read only from the folder, whatever path a row has; and only files of
this form in the database's own place are ever removed (checkpoints/place.py).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Select, delete, insert, select, type_coerce
from sqlalchemy.types import NullType

from resbench.errors import StorageError
from resbench.failpoints import Failpoint, reach
from resbench.language.library.lookup import at_home
from resbench.store.checkpoints.files import places_of, read_kept, remove_kept, weights_file, write_kept
from resbench.store.checkpoints.place import FORM, identity, known_keys, leave, own_places, removable
from resbench.store.connection.location import locate
from resbench.store.connection.transaction import reading, writing
from resbench.store.queue.cells import hold
from resbench.store.records import Cell, canonical_json, now
from resbench.store.schema.tables import rb_run, rb_run_plan, rb_study_run, rb_weights
from resbench.store.schema.work_tables import rb_cell, rb_checkpoint

KEPT = 2


def checkpoint_folder(url: str, named: str | None = None) -> Path:
    """Return the named folder; else `results.db.checkpoints` beside a file, or `resbench.checkpoints` in the current folder for a
    server.

    Workers on several machines can continue each other's runs only if they share it.
    """
    if named:
        return at_home(named).resolve()
    path = locate(url).path
    return Path("resbench.checkpoints").resolve() if path is None else Path(f"{path.resolve()}.checkpoints")


def checkpoint_key(architecture: str, recipe: str, data: str, seeds: tuple[int, ...], way: str) -> str:
    """Return the key of a checkpoint: a digest of all that must be equal to continue from it."""
    return sha256(canonical_json([architecture, recipe, data, list(seeds), way]).encode()).hexdigest()[:32]


# They are read as any type: a row without a valid file name is skipped, and ends no training.
_PATH, _SHA256 = (type_coerce(rb_checkpoint.c[name], NullType()).label(name) for name in ("path", "sha256"))


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """The checkpoints of one training, for the worker that has claimed its cell."""

    engine: Engine
    folder: Path
    key: str
    cell: Cell

    def save(self, epoch: int, content: bytes) -> None:
        """Write a checkpoint atomically, and delete the oldest beyond KEPT.

        Raises StorageError where no file can be written, with nothing half-written; LeaseLost where the cell was taken over.
        """
        try:
            path = write_kept(self.engine, self.folder, f"{self.key}.{epoch}.{self.cell.token}", content)
        except OSError as error:
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
        reach(Failpoint.CHECKPOINT_RECORDED)
        if old:
            self._drop({row.path for row in old} - {path.name})

    def load(self) -> Iterator[bytes]:
        """Yield the checkpoints, newest first, without damaged and missing ones. Rows are read at once, files one by one."""
        places = places_of(self.engine, self.folder)
        with reading(self.engine) as connection:
            rows = [(row.path, row.sha256) for row in connection.execute(self._newest())]
        found = (read_kept(place / name, digest) for name, digest in rows if _is_name(name) for place in places)
        return (content for content in found if content is not None)

    def forget(self) -> None:
        """Delete the rows and files of the checkpoints, which are not to be continued. Raises LeaseLost."""
        with writing(self.engine) as connection:
            hold(connection, self.cell)
            connection.execute(delete(rb_checkpoint).where(rb_checkpoint.c.key == self.key))
        self.clear()

    def clear(self) -> None:
        """Remove the files, once the runs are saved and no row refers to a checkpoint any more."""
        self._drop()

    def _drop(self, names: Collection[object] | None = None) -> None:
        """Remove files of the key: the named ones, or all."""
        own = identity(self.engine)
        for place in own_places(self.folder, own):
            for path in removable(place, own, [self.key]):
                if path.name.startswith(f"{self.key}.") and (names is None or path.name in names):
                    remove_kept(path)

    def _newest(self) -> Select[Any]:
        newest = select(rb_checkpoint.c.id, _PATH, _SHA256).where(rb_checkpoint.c.key == self.key)
        return newest.order_by(rb_checkpoint.c.id.desc())


def forget_stopped(engine: Engine, study_id: int) -> None:
    """Delete the rows of checkpoints of runs that a search has stopped for good; `sweep` removes their files."""
    stopped = (
        select(rb_run_plan.c.plan)
        .join(rb_run, rb_run.c.id == rb_run_plan.c.run_id)
        .join(rb_study_run, rb_study_run.c.run_id == rb_run.c.id)
        .where(rb_study_run.c.study_id == study_id, rb_run.c.status == "stopped")
    )
    with writing(engine) as connection:
        for key in kept_keys(connection, stopped):
            connection.execute(delete(rb_checkpoint).where(rb_checkpoint.c.key == key))


def sweep(engine: Engine, folder: Path) -> int:
    """Remove files to which no row refers, left by a killed process, unless a cell is running. Return their number."""
    own = identity(engine)
    places = own_places(folder, own)
    with reading(engine) as connection:
        stopped = kept_keys(connection, select(rb_run_plan.c.plan))
        known = stopped | known_keys(connection)
    # List the files before checking whether any worker writes.
    there = [path for place in places for path in removable(place, own, known)]
    with reading(engine) as connection:
        if connection.execute(select(rb_cell.c.id).where(rb_cell.c.status == "running").limit(1)).first() is not None:
            return 0
        recorded: set[object] = {*connection.execute(select(_PATH)).scalars()}
        recorded |= {weights_file(digest) for digest in connection.execute(select(rb_weights.c.sha256)).scalars()}
    stray = [path for path in there if path.name not in recorded]
    for path in stray:
        remove_kept(path)
    for place in reversed(places):  # the inner ones first
        leave(place, own)
    return len(stray)


def kept_keys(connection: Connection, plans: Select[Any]) -> frozenset[str]:
    """Return the keys of the checkpoints at which runs were stopped, from their plans."""
    return frozenset[str]().union(*map(kept_keys_in, connection.execute(plans).scalars()))


def kept_keys_in(plan: str) -> frozenset[str]:
    """Return the keys of one plan: one or none."""
    with suppress(ValueError, TypeError, KeyError):
        return frozenset((str(json.loads(plan)["checkpoint"]),))
    return frozenset()


def _is_name(path: object) -> bool:
    """Return whether a row's path is a name of ours; it may hold any value."""
    return isinstance(path, str) and FORM.fullmatch(path) is not None
