"""A store on a real SQLite file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from store_sample import Sample, fill

from resbench.store.engine import open_store


@pytest.fixture
def db(tmp_path: Path) -> str:
    return str(tmp_path / "results.db")


@pytest.fixture
def engine(db: str) -> Iterator[Engine]:
    engine = open_store(db, create=True)
    yield engine
    engine.dispose()


@pytest.fixture
def sample(engine: Engine) -> Sample:
    return fill(engine)


@pytest.fixture
def another() -> Iterator[Callable[[str], Sample]]:
    """Make a second store like the first, at the path given."""
    engines: list[Engine] = []

    def make(path: str) -> Sample:
        engines.append(open_store(path, create=True))
        return fill(engines[-1])

    yield make
    for engine in engines:
        engine.dispose()


@pytest.fixture
def full(sample: Sample, db: str) -> str:
    """The path of a store with three runs; nothing holds it open."""
    for seed in range(3):
        sample.add(sample.record(seed, val_error_pct=5.0 + seed))
    sample.engine.dispose()
    return db
