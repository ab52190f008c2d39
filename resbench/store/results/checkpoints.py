"""Runs under way -> files beside the database, with a row each, and back.  No torch here: what a file holds is bytes.

Written under another name, synced, renamed, and only then told of in the database; two are kept. A file whose sha256 is another
is damaged, and the one before it serves. Files are of one claim each (its token ends their names), so that a worker which lost
its cell overwrites nothing; they are looked for in the folder alone, whatever a row says. Nothing is removed but files of this
form that the database's own place holds (checkpoint_place.py).
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
    """Return the one named; else `results.db.checkpoints` beside a file, and of a server `resbench.checkpoints` in the
    current folder.

    Workers on several machines go on where another stopped only if they share it.
    """
    if named:
        return at_home(named).resolve()
    path = locate(url).path
    return Path("resbench.checkpoints").resolve() if path is None else Path(f"{path.resolve()}.checkpoints")


def checkpoint_key(architecture: str, recipe: str, data: str, seeds: tuple[int, ...], way: str) -> str:
    """Return what must be the same for a checkpoint to be gone on with."""
    return sha256(canonical_json([architecture, recipe, data, list(seeds), way]).encode()).hexdigest()[:32]


# Of any type: a row that no file can stand behind is passed over, and ends no training.
_PATH, _SHA256 = (type_coerce(rb_checkpoint.c[name], NullType()).label(name) for name in ("path", "sha256"))


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
        """Newest first; damaged and missing ones are passed over. The database is asked at once, the files one by one."""
        places = places_of(self.engine, self.folder)
        with reading(self.engine) as connection:
            rows = [(row.path, row.sha256) for row in connection.execute(self._newest())]
        found = (read_kept(place / name, digest) for name, digest in rows if _is_name(name) for place in places)
        return (content for content in found if content is not None)

    def forget(self) -> None:
        """What was under way is given up. Raises Fenced."""
        with writing(self.engine) as connection:
            hold(connection, self.cell)
            connection.execute(delete(rb_checkpoint).where(rb_checkpoint.c.key == self.key))
        self.clear()

    def clear(self) -> None:
        """What was under way is saved, and no row tells of a checkpoint any more: remove the files."""
        self._drop()

    def _drop(self, names: Collection[object] | None = None) -> None:
        """Remove files of the key: those named, or all."""
        own = identity(self.engine)
        for place in own_places(self.folder, own):
            for path in removable(place, own, [self.key]):
                if path.name.startswith(f"{self.key}.") and (names is None or path.name in names):
                    remove_kept(path)

    def _newest(self) -> Select[Any]:
        newest = select(rb_checkpoint.c.id, _PATH, _SHA256).where(rb_checkpoint.c.key == self.key)
        return newest.order_by(rb_checkpoint.c.id.desc())


def forget_stopped(engine: Engine, study_id: int) -> None:
    """Rows of checkpoints of runs that a search has stopped and does not go on with; `sweep` removes their files."""
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
    """Remove files that no row tells of: a kill left them. Nothing is touched while any cell is running. Returns how many."""
    own = identity(engine)
    places = own_places(folder, own)
    with reading(engine) as connection:
        stopped = kept_keys(connection, select(rb_run_plan.c.plan))
        known = stopped | known_keys(connection)
    # Before it is asked whether anybody writes.
    there = [path for place in places for path in removable(place, own, known)]
    with reading(engine) as connection:
        if connection.execute(select(rb_cell.c.id).where(rb_cell.c.status == "running").limit(1)).first() is not None:
            return 0
        told: set[object] = {*connection.execute(select(_PATH)).scalars()}
        told |= {weights_file(digest) for digest in connection.execute(select(rb_weights.c.sha256)).scalars()}
    stray = [path for path in there if path.name not in told]
    for path in stray:
        remove_kept(path)
    for place in reversed(places):  # the inner ones first
        leave(place, own)
    return len(stray)


def kept_keys(connection: Connection, plans: Select[Any]) -> frozenset[str]:
    """Of the checkpoints that runs were stopped at, as their plans tell."""
    return frozenset[str]().union(*map(kept_keys_in, connection.execute(plans).scalars()))


def kept_keys_in(plan: str) -> frozenset[str]:
    """Return the same of one plan: one or none."""
    with suppress(ValueError, TypeError, KeyError):
        return frozenset((str(json.loads(plan)["checkpoint"]),))
    return frozenset()


def _is_name(path: object) -> bool:
    """Return whether a row names a file as ours are named: it may say anything."""
    return isinstance(path, str) and FORM.fullmatch(path) is not None
