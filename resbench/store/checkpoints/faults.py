"""Rows of kept weights and a folder of checkpoints -> the runs whose file is missing or damaged, each with where it should be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from os.path import lexists
from pathlib import Path

from sqlalchemy import Engine

from resbench.store.checkpoints.files import digest_of, places_of, weights_file
from resbench.store.checkpoints.mark import is_file
from resbench.store.checkpoints.weights import KeptWeights, is_digest

OPTION = "--checkpoints (or RESBENCH_CHECKPOINTS) names another folder"


@dataclass(frozen=True, slots=True)
class WeightsFault:
    """A run whose kept weights cannot be read. `damaged`: a file is there, and it is not the one that the row describes."""

    run_id: int
    damaged: bool
    what: str

    def __str__(self) -> str:
        return f"run {self.run_id}: {self.what}"


def find_faults(
    engine: Engine, folder: Path, kept: Iterable[KeptWeights], *, names_only: bool = False
) -> list[WeightsFault]:
    """Return a fault for each row without a readable file in the places where the database's files may be.

    Args:
        engine: the database of the rows.
        folder: its folder of checkpoints.
        kept: the rows.
        names_only: do not read the files, so that only a missing one is a fault.
    """
    rows = list(kept)
    places = list(places_of(engine, folder)) if rows else []
    return [fault for row in rows for fault in _faults(row, places, names_only=names_only)]


def _faults(row: KeptWeights, places: list[Path], *, names_only: bool) -> Iterator[WeightsFault]:
    if not is_digest(row.sha256):
        yield WeightsFault(row.run_id, True, f"expected a sha256 in its row of rb_weights, got {row.sha256[:80]!r}")
        return
    is_there = is_file if names_only else lexists
    paths = [path for place in places if is_there(path := place / weights_file(row.sha256))]
    if not paths:
        where = " or ".join(map(str, places))
        yield WeightsFault(row.run_id, False, f"no {weights_file(row.sha256)} in {where}")
    elif not names_only and row.sha256 not in (found := [digest_of(path) for path in paths]):
        got = found[0] or "what cannot be read as an ordinary file"
        yield WeightsFault(row.run_id, True, f"{paths[0]}: expected the sha256 {row.sha256}, got {got}")
