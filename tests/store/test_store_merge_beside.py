"""A merge while others write: workers go on, no run is saved in between, and what is committed is never called a failure."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from postgres_server import Server, name_in
from sqlalchemy import Connection, Engine, text
from store_sample import Sample, fill

from resbench.errors import DatabaseError
from resbench.store.connection.transaction import reading, writing
from resbench.store.merge import databases as merging
from resbench.store.merge.conflicts import MergeReport
from resbench.store.merge.databases import merge
from resbench.store.open import open_store
from resbench.store.queue.leadership import take_role
from resbench.store.queue.leases import renew_leases
from resbench.store.queue.workers import put_worker, workers_of
from resbench.store.records import WorkerRecord
from resbench.store.results.reading import runs_of_study

WORKER = WorkerRecord("w1", "s", "host", "boot", 1, "born", "cpu", 1)


@pytest.fixture
def other_db(tmp_path: Path, another: Callable[[str], Sample]) -> str:
    sample = another(str(tmp_path / "other.db"))
    sample.add(sample.record(3))
    return str(tmp_path / "other.db")


@pytest.fixture
def server_sample(postgres: str) -> Iterator[Sample]:
    engine = open_store(postgres, create=True)
    yield fill(engine)
    engine.dispose()


def beside(monkeypatch: pytest.MonkeyPatch, step: Callable[[], None]) -> None:
    """Let the step happen between the merge's two looks at the target."""
    real = merging.merge_runs

    def merge_runs(source: Connection, into: Connection, merged: MergeReport) -> dict[int, int]:
        step()
        return real(source, into, merged)

    monkeypatch.setattr(merging, "merge_runs", merge_runs)


def test_workers_of_a_server_go_on(
    server_sample: Sample, postgres: str, other_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = server_sample.engine
    put_worker(engine, WORKER)
    take_role(engine, "coordinator of s", "w1", 60.0)
    beats = []

    def step() -> None:
        renew_leases(engine, "w1", 60.0)
        take_role(engine, "coordinator of s", "w1", 60.0)
        beats.append(workers_of(engine, "s")[0].unseen_s)

    beside(monkeypatch, step)
    (merged,) = merge(postgres, [other_db])
    assert (merged.runs_added, len(beats)) == (1, 1)
    assert [run.seed for run in runs_of_study(engine, "s")] == [3]


SAVES = (
    "UPDATE rb_recipe SET name = 'x'",
    "DELETE FROM rb_trial",
    "INSERT INTO rb_reveal (study_id, revealed_at, revealed_by) VALUES (1, 't', 'x')",
)


def test_nobody_writes_results_to_a_server_in_between(
    server_sample: Sample, postgres: str, other_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = []

    def step() -> None:
        for sql in SAVES:
            with psycopg.connect(postgres) as connection:
                connection.execute("SET lock_timeout = '10ms'")
                try:
                    connection.execute(sql.encode())
                except psycopg.errors.LockNotAvailable as error:
                    refused.append(str(error))

    beside(monkeypatch, step)
    (merged,) = merge(postgres, [other_db])
    assert (merged.runs_added, len(refused)) == (1, len(SAVES))


@pytest.mark.sqlite
def test_nobody_writes_to_a_file_in_between(
    sample: Sample, db: str, other_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_worker(sample.engine, WORKER)
    told = []

    def step() -> None:
        with (
            closing(sqlite3.connect(db, timeout=0)) as connection,
            pytest.raises(sqlite3.OperationalError, match="locked"),
        ):
            connection.execute("UPDATE rb_worker SET seen = seen + 1")
        told.append(len(workers_of(sample.engine, "s")))

    beside(monkeypatch, step)
    (merged,) = merge(db, [other_db])
    assert (merged.runs_added, told) == (1, [1])
    renew_leases(sample.engine, "w1", 60.0)
    assert [run.seed for run in runs_of_study(sample.engine, "s")] == [3]


def test_a_server_that_waits_for_nobody_is_left_before_the_last_look(
    server_sample: Sample, server: Server, postgres: str, other_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends a transaction in which nothing happens; here it ends every session as soon as the rows are merged."""
    server_sample.add(server_sample.record(5))
    server_sample.engine.dispose()
    real, there = merging.refuse_loss, []

    def refuse_loss(*arguments: object) -> None:
        name = name_in(postgres)
        there.append(
            server.run(f"SELECT state FROM pg_stat_activity WHERE datname = '{name}' AND state LIKE '%transaction%'")
        )
        server.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(merging, "refuse_loss", refuse_loss)
    (merged,) = merge(other_db, [postgres])
    assert (merged.runs_added, there) == (1, [[]])
    with closing(sqlite3.connect(other_db)) as connection:
        assert connection.execute("SELECT seed FROM rb_run ORDER BY seed").fetchall() == [(3,), (5,)]


def test_an_error_names_the_database_that_raised_it(
    server_sample: Sample, postgres: str, other_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(wrong: int) -> None:
        def merge_runs(source: Connection, into: Connection, merged: MergeReport) -> dict[int, int]:
            (source, into)[wrong].execute(text("SELECT nothing FROM nowhere"))
            raise AssertionError

        monkeypatch.setattr(merging, "merge_runs", merge_runs)

    for into, source in ((postgres, other_db), (other_db, postgres)):
        for wrong, url in enumerate((source, into)):
            broken(wrong)
            with pytest.raises(DatabaseError, match=r"^postgresql://" if url is postgres else r"^.*other\.db: "):
                merge(into, [source])


def test_a_reader_sees_one_state(sample: Sample, engine: Engine, db: str) -> None:
    """Whatever a second writer commits; and no reader writes on a server."""
    count = text("SELECT count(*) FROM rb_recipe")
    add = text("INSERT INTO rb_recipe (digest, name, spec) VALUES ('new', 'n', '{}')")
    second = open_store(db, create=False)
    with reading(engine) as connection:
        assert connection.execute(count).scalar() == 1
        if engine.dialect.name == "postgresql":
            with writing(second) as other:
                other.execute(add)
            assert connection.execute(count).scalar() == 1
    with reading(engine) as connection:
        assert connection.execute(count).scalar() == (2 if engine.dialect.name == "postgresql" else 1)
    if engine.dialect.name == "postgresql":
        with pytest.raises(DatabaseError, match="read-only transaction"), reading(engine) as connection:
            connection.execute(text("DELETE FROM rb_recipe"))
    with writing(engine) as connection:  # the same connection, from the pool
        connection.execute(text("UPDATE rb_recipe SET name = 'm'"))
    second.dispose()


def test_a_statement_of_a_server_that_takes_too_long_is_ended_with_its_limit(postgres: str) -> None:
    engine = open_store(postgres, create=False, transaction_s=0.5)
    with (
        pytest.raises(DatabaseError, match=r"over 0\.5 s, the limit .*RESBENCH_TRANSACTION_S"),
        reading(engine) as connection,
    ):
        connection.execute(text("SELECT pg_sleep(60)"))
    engine.dispose()
