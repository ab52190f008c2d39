"""Weights of runs -> files in the folder of checkpoints, named by their sha256, with a row each; and back.  No torch here.

When a run ends, the file is written before the row, while its running cell prevents sweeps; the next sweep removes a file without
a row. A row whose file is gone costs a training once somebody asks for the weights.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import inf
from pathlib import Path
from statistics import fmean
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, delete, exists, func, insert, select, type_coerce, update
from sqlalchemy.types import NullType

from resbench.errors import ResbenchError, StorageError
from resbench.failpoints import Failpoint, reach
from resbench.store.checkpoints.files import places_of, read_kept, remove_kept, weights_file, write_kept
from resbench.store.checkpoints.place import identity, own_places, removable
from resbench.store.connection.transaction import reading, writing
from resbench.store.merge.catalogue import CHUNK
from resbench.store.records import WeightsRecord
from resbench.store.schema.tables import rb_run, rb_study_run, rb_weights

_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class KeptWeights:
    """The stored weights of a run. With `asked`, a person requested them, and no study removes them."""

    run_id: int
    sha256: str
    bytes: int
    asked: bool


def write_weights(engine: Engine, folder: Path, content: bytes) -> WeightsRecord:
    """Write the file, before its row. Raises StorageError, with nothing half-written."""
    record = WeightsRecord(sha256(content).hexdigest(), len(content))
    try:
        write_kept(engine, folder, weights_file(record.sha256), content)
    except OSError as error:
        raise StorageError(f"{folder}: no weights could be written: {error.strerror or error}") from None
    reach(Failpoint.WEIGHTS_WRITTEN)
    return record


def write_row(connection: Connection, run_id: int, record: WeightsRecord, *, asked: bool = False) -> None:
    """Replace the weights of a run by these."""
    connection.execute(delete(rb_weights).where(rb_weights.c.run_id == run_id))
    values = {"run_id": run_id, "sha256": record.sha256, "bytes": record.bytes, "asked": asked}
    connection.execute(insert(rb_weights).values(values))


def keep_weights(engine: Engine, folder: Path, run_id: int, content: bytes) -> WeightsRecord:
    """Keep the weights of a run, since a person asked for them. Raises StorageError, with the row as it was.

    The row is written first: no cell is running, so a sweep would remove a file without a row. A row without a file costs only a
    training.
    """
    before = kept_weights(engine, [run_id]).get(run_id)
    record = WeightsRecord(sha256(content).hexdigest(), len(content))
    with writing(engine) as connection:
        _write_if_there(connection, run_id, record, asked=True)
    try:
        return write_weights(engine, folder, content)
    except ResbenchError:
        with writing(engine) as connection:
            delete_rows(connection, [run_id])
            if before is not None:
                _write_if_there(connection, run_id, WeightsRecord(before.sha256, before.bytes), asked=before.asked)
        raise


def _write_if_there(connection: Connection, run_id: int, record: WeightsRecord, *, asked: bool) -> None:
    """The run may have been deleted since."""
    if connection.execute(select(rb_run.c.id).where(rb_run.c.id == run_id)).first() is not None:
        write_row(connection, run_id, record, asked=asked)


def ask_to_keep(engine: Engine, run_id: int) -> None:
    """Mark the stored weights of a run as requested, so that no study removes them."""
    with writing(engine) as connection:
        connection.execute(update(rb_weights).where(rb_weights.c.run_id == run_id).values(asked=True))


def kept_weights(engine: Engine, runs: Collection[int] | None = None) -> dict[int, KeptWeights]:
    """Return the stored weights by the id of their run, for these runs or for all."""
    with reading(engine) as connection:
        rows = connection.execute(select(rb_weights).order_by(rb_weights.c.run_id)).mappings()
        found = {row["run_id"]: KeptWeights(**row) for row in rows}
    return found if runs is None else {run: kept for run, kept in found.items() if run in runs}


def read_weights_of(engine: Engine, folder: Path, run_id: int) -> bytes | None:
    """Return the file of a run's weights; None where none are stored, or the file is missing or has another digest."""
    kept = kept_weights(engine, [run_id]).get(run_id)
    return None if kept is None else read_file(places_of(engine, folder), kept.sha256)


def read_file(places: Iterable[Path], digest: str) -> bytes | None:
    """Return the first file in the places that has the digest; none for a row that says anything else."""
    if not is_digest(digest):
        return None
    found = (read_kept(place / weights_file(digest), digest) for place in places)
    return next((content for content in found if content is not None), None)


def is_digest(text: str) -> bool:
    """Return whether a row names a sha256: it may hold any text."""
    return _DIGEST.fullmatch(text) is not None


def bytes_kept(engine: Engine) -> int:
    """Return the bytes of all weights that no person asked for."""
    with reading(engine) as connection:
        total = type_coerce(func.coalesce(func.sum(rb_weights.c.bytes), 0), NullType())  # Postgres gives no int
        found: Any = connection.execute(select(total).where(~rb_weights.c.asked)).scalar_one()
        return int(found)


def drop_weights(engine: Engine, study_id: int, wanted: Collection[int]) -> int:
    """Delete the rows of weights of the study's other runs, unless another study uses the run or a person asked for them.

    The next sweep removes their files. Return the number of rows.
    """
    with writing(engine) as connection:
        query = select(rb_weights.c.run_id).where(*_of_study_alone(study_id))
        gone = [run for run in connection.execute(query).scalars() if run not in wanted]
        delete_rows(connection, gone)
    return len(gone)


def drop_worse(engine: Engine, folder: Path, study_id: int, run: tuple[str, str, float], needed: int) -> None:
    """Delete weights of units that are worse so far, the worst first, until `needed` bytes are free.

    Weights that a person asked for, and those of runs that another study uses, stay.

    Args:
        run: architecture, recipe and val error (percent) of the one that is to be kept.
        needed: the number of bytes.
    """
    of_study = exists().where(rb_study_run.c.run_id == rb_run.c.id, rb_study_run.c.study_id == study_id)
    with writing(engine) as connection:
        errors: dict[tuple[str, str], list[float]] = {run[:2]: [run[2]]}
        complete = select(rb_run).where(of_study, rb_run.c.status == "complete")
        for row in connection.execute(complete).mappings():
            errors.setdefault((row["architecture"], row["recipe"]), []).append(row["val_error_pct"])
        means = {unit: fmean(values) for unit, values in errors.items()}
        kept = select(rb_weights, rb_run.c.architecture, rb_run.c.recipe).join(rb_run)
        rows = connection.execute(kept.where(*_of_study_alone(study_id))).mappings().all()
        worse = [row for row in rows if means.get((row["architecture"], row["recipe"]), -inf) > means[run[:2]]]
        gone, free = [], 0
        for row in sorted(worse, key=lambda row: -means[row["architecture"], row["recipe"]]):
            if free < needed:
                gone.append(row)
                free += row["bytes"]
        delete_rows(connection, [row["run_id"] for row in gone])
    own, names = identity(engine), {weights_file(row["sha256"]) for row in gone}
    for place in own_places(folder, own):
        for path in removable(place, own, [row["sha256"] for row in gone]):
            if path.name in names:
                remove_kept(path)


def _of_study_alone(study_id: int) -> list[ColumnElement[bool]]:
    """Return conditions for weights of runs of the study alone, which no person asked for."""
    other = rb_study_run.alias()
    mine = exists().where(rb_study_run.c.run_id == rb_weights.c.run_id, rb_study_run.c.study_id == study_id)
    shared = exists().where(other.c.run_id == rb_weights.c.run_id, other.c.study_id != study_id)
    return [mine, ~shared, ~rb_weights.c.asked]


def delete_rows(connection: Connection, runs: Sequence[int]) -> None:
    for start in range(0, len(runs), CHUNK):
        connection.execute(delete(rb_weights).where(rb_weights.c.run_id.in_(runs[start : start + CHUNK])))
