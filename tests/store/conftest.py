"""A store on a real SQLite file, and on a real Postgres server where a test is about rows: both give the same answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from store_sample import Sample, fill

from resbench.store.engine import open_store


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test with a database runs on both, but those marked `sqlite`, which are about a file."""
    if "db" in metafunc.fixturenames:
        only = any(metafunc.definition.iter_markers("sqlite"))
        metafunc.parametrize("db", ["sqlite"] if only else ["sqlite", "postgres"], indirect=True)


@pytest.fixture
def db(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """What `--db` would say: a file that is not there yet, or a database that holds our schema."""
    if request.param == "sqlite":
        return str(tmp_path / "results.db")
    return str(request.getfixturevalue("postgres"))


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
