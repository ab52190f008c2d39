"""Weights of runs -> files in the folder of checkpoints, named by their sha256, with a row each; and back.  No torch here.

A file is written before its row, so that no row tells of a file that never was; one without a row goes with the next sweep.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, delete, exists, func, insert, select, type_coerce
from sqlalchemy.types import NullType

from resbench.errors import StorageError
from resbench.failpoints import Failpoint, reach
from resbench.store.checkpoint_files import places_of, read_kept, weights_file, write_kept
from resbench.store.merge_catalogue import CHUNK
from resbench.store.records import WeightsRecord
from resbench.store.tables import rb_run, rb_study_run, rb_weights
from resbench.store.transaction import reading, writing

_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class KeptWeights:
    """Of a run. `asked`: a person wanted them, so no study removes them."""

    run_id: int
    sha256: str
    bytes: int
    asked: bool


def write_weights(engine: Engine, folder: Path, content: bytes) -> WeightsRecord:
    """Write the file, of which a row is to tell. Raises StorageError, with nothing half-written."""
    record = WeightsRecord(sha256(content).hexdigest(), len(content))
    try:
        write_kept(engine, folder, weights_file(record.sha256), content)
    except OSError as error:
        raise StorageError(f"{folder}: no weights could be written: {error.strerror or error}") from None
    reach(Failpoint.WEIGHTS_WRITTEN)
    return record


def write_row(connection: Connection, run_id: int, record: WeightsRecord, *, asked: bool = False) -> None:
    """Let the run have these weights and no others."""
    connection.execute(delete(rb_weights).where(rb_weights.c.run_id == run_id))
    values = {"run_id": run_id, "sha256": record.sha256, "bytes": record.bytes, "asked": asked}
    connection.execute(insert(rb_weights).values(values))


def keep_weights(engine: Engine, folder: Path, run_id: int, content: bytes) -> WeightsRecord:
    """Keep the weights of a run that stands, since a person asked for them. Raises StorageError."""
    record = write_weights(engine, folder, content)
    with writing(engine) as connection:
        if connection.execute(select(rb_run.c.id).where(rb_run.c.id == run_id)).first() is not None:
            write_row(connection, run_id, record, asked=True)
    return record


def kept_weights(engine: Engine, runs: Collection[int] | None = None) -> dict[int, KeptWeights]:
    """By the id of their run, of these runs or of all."""
    with reading(engine) as connection:
        rows = connection.execute(select(rb_weights).order_by(rb_weights.c.run_id)).mappings()
        found = {row["run_id"]: KeptWeights(**row) for row in rows}
    return found if runs is None else {run: kept for run, kept in found.items() if run in runs}


def read_weights_of(engine: Engine, folder: Path, run_id: int) -> bytes | None:
    """The file of a run's weights; None where none are kept, or the file is missing or another than the row says."""
    kept = kept_weights(engine, [run_id]).get(run_id)
    return None if kept is None else read_file(places_of(engine, folder), kept.sha256)


def read_file(places: Iterable[Path], digest: str) -> bytes | None:
    """The first file in the places that has the digest; none for a row that says anything else."""
    if _DIGEST.fullmatch(digest) is None:
        return None
    found = (read_kept(place / weights_file(digest), digest) for place in places)
    return next((content for content in found if content is not None), None)


def bytes_kept(engine: Engine) -> int:
    """Of all weights that no person asked for."""
    with reading(engine) as connection:
        total = type_coerce(func.coalesce(func.sum(rb_weights.c.bytes), 0), NullType())  # Postgres gives no int
        found: Any = connection.execute(select(total).where(~rb_weights.c.asked)).scalar_one()
        return int(found)


def drop_weights(engine: Engine, study_id: int, wanted: Collection[int]) -> int:
    """Rows of the study's runs that are not wanted, that no other study uses and nobody asked for; the next sweep removes their
    files. Returns how many.
    """
    other = rb_study_run.alias()
    mine = exists().where(rb_study_run.c.run_id == rb_weights.c.run_id, rb_study_run.c.study_id == study_id)
    shared = exists().where(other.c.run_id == rb_weights.c.run_id, other.c.study_id != study_id)
    with writing(engine) as connection:
        query = select(rb_weights.c.run_id).where(mine, ~shared, ~rb_weights.c.asked)
        gone = [run for run in connection.execute(query).scalars() if run not in wanted]
        delete_rows(connection, gone)
    return len(gone)


def delete_rows(connection: Connection, runs: Sequence[int]) -> None:
    for start in range(0, len(runs), CHUNK):
        connection.execute(delete(rb_weights).where(rb_weights.c.run_id.in_(runs[start : start + CHUNK])))
