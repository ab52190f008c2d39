"""A store on a real SQLite file, and on a real Postgres server where a test is about rows: both give the same answers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copy2

import pytest
from sqlalchemy import Engine
from store_sample import Sample, fill

from resbench.store.open import open_store


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test with a database runs on both, but those marked `sqlite`, which are about a file.

    On Postgres they are `long`: `make test` needs no server.
    """
    if "db" in metafunc.fixturenames:
        marks = {mark.name for mark in metafunc.definition.iter_markers()}
        server = pytest.param("postgres", marks=pytest.mark.long)
        metafunc.parametrize("db", ["sqlite"] if "sqlite" in marks else ["sqlite", server], indirect=True)


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that holds our schema and no rows. A copy of it costs a tenth of what making it costs."""
    path = tmp_path_factory.mktemp("empty") / "empty.db"
    open_store(str(path), create=True).dispose()
    return path


@pytest.fixture
def db(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """What `--db` would say: a file that is not there yet, or a database that holds our schema."""
    if request.param == "sqlite":
        return str(tmp_path / "results.db")
    return str(request.getfixturevalue("postgres"))


@pytest.fixture
def engine(db: str, request: pytest.FixtureRequest) -> Iterator[Engine]:
    if not db.startswith("postgresql://"):
        copy_empty(request.getfixturevalue("empty_file"), db)
    engine = open_store(db, create=True)
    yield engine
    engine.dispose()


def copy_empty(empty_file: Path, path: str) -> None:
    """Unless something is there. A new file of resbench's is its owner's alone, and so is this one."""
    if not os.path.lexists(path):
        copy2(empty_file, path)


@pytest.fixture
def sample(engine: Engine) -> Sample:
    return fill(engine)


@pytest.fixture
def another(empty_file: Path) -> Iterator[Callable[[str], Sample]]:
    """Make a second store like the first, at the path given."""
    engines: list[Engine] = []

    def make(path: str) -> Sample:
        copy_empty(empty_file, path)
        engines.append(open_store(path, create=True))
        return fill(engines[-1])

    yield make
    for engine in engines:
        engine.dispose()


@pytest.fixture
def other(empty_file: Path, tmp_path: Path) -> str:
    """The path of a second store, without rows; nothing holds it open."""
    path = str(tmp_path / "other.db")
    copy_empty(empty_file, path)
    return path


def add_three(sample: Sample) -> None:
    for seed in range(3):
        sample.add(sample.record(seed, val_error_pct=5.0 + seed))
    sample.engine.dispose()


@pytest.fixture(scope="session")
def full_file(empty_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `full` copies."""
    path = tmp_path_factory.mktemp("full") / "full.db"
    copy_empty(empty_file, str(path))
    add_three(fill(open_store(str(path), create=True)))
    return path


@pytest.fixture
def full(db: str, request: pytest.FixtureRequest) -> str:
    """The path of a store with three runs; nothing holds it open."""
    if db.startswith("postgresql://") or "engine" in request.fixturenames:  # a test has its hands on the store itself
        add_three(request.getfixturevalue("sample"))
    else:
        copy2(request.getfixturevalue("full_file"), db)
    return db
