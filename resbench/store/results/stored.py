"""A database that may hold a study -> the stored data of the study, before it is run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from resbench.errors import DatabaseError, DatabaseUnavailable
from resbench.store.open import Engine, open_store
from resbench.store.results.studies import study_names, study_spec

T = TypeVar("T")


def from_database(url: str, read: Callable[[Engine], T], missing: T) -> T:
    """Return what `read` gives; `missing` where there is no such database yet. Raises DatabaseUnavailable."""
    try:
        engine = open_store(url, create=False)
    except DatabaseUnavailable:
        raise
    except DatabaseError:  # it is made later, or its fault is reported then
        return missing
    try:
        return read(engine)
    finally:
        engine.dispose()


def study_row(engine: Engine, study: str) -> dict[str, Any] | None:
    """Return the stored spec of the study; None where there is no study of that name yet."""
    return study_spec(engine, study) if study in study_names(engine) else None


def limit_of(engine: Engine, study: str, own: int | None) -> int | None:
    """Return the memory limit (bytes) with which a search was begun, None where it had none; `own` where it begins now."""
    row = study_row(engine, study)
    return own if row is None else row.get("memory_bytes")
