"""Test scores are kept so that nobody reads them by mistake, and nothing but that changes for who is to read them."""

from __future__ import annotations

import json
import sqlite3
from base64 import b64decode, b64encode
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from hypothesis import given
from hypothesis import strategies as st
from postgres_server import Server
from sqlalchemy import text
from store_sample import Sample, fill

from resbench.errors import DatabaseError
from resbench.store.connection.location import locate
from resbench.store.connection.transaction import reading, writing
from resbench.store.maintenance.check import check_database
from resbench.store.maintenance.upgrade import upgrade_database
from resbench.store.merge.databases import merge
from resbench.store.migrate.upgrade import alembic_config
from resbench.store.open import connect, open_store
from resbench.store.records import TestScore
from resbench.store.results.reading import test_scores as scores_of_test
from resbench.store.results.seal import seal, unseal
from resbench.store.schema.revision import REVISIONS

NUMBERS = st.none() | st.floats(allow_nan=False, allow_infinity=False)


@given(NUMBERS, NUMBERS)
def test_what_was_sealed_is_read_to_the_last_bit(error: float | None, loss: float | None) -> None:
    assert unseal(seal(error, loss)) == (error, loss)


def test_the_texts_have_neither_the_order_nor_the_digits_of_the_scores() -> None:
    scores = [6.0 + number / 100 for number in range(100)]
    texts = [seal(score, 0.25) for score in scores]
    assert len(set(texts)) == 100
    assert len({sealed[:2] for sealed in texts}) > 50, "near scores begin alike"
    assert texts not in (sorted(texts), sorted(texts, reverse=True))
    assert not [sealed for sealed in texts if b"6." in b64decode(sealed)]


OTHERS = {  # texts and values that stand in the place of a sealed score
    "a number": 6.0,
    "an empty text": "",
    "no base64": "test",
    "another digest": b64encode(b64decode(seal(6.0, 0.5))[::-1]).decode(),
    "an error beyond 100 %": seal(600.0, 0.5),
    "a text in the place of the loss": seal(6.0, "low"),  # type: ignore[arg-type]
    "infinity": seal(6.0, float("inf")),
}


@pytest.mark.sqlite
@pytest.mark.parametrize("what", OTHERS)
def test_what_was_not_sealed_by_resbench_is_refused(what: str, sample: Sample, full: str, tmp_path: Path) -> None:
    with writing(sample.engine) as connection:
        connection.execute(text("UPDATE rb_test_score SET sealed = :sealed WHERE run_id = 2"), {"sealed": OTHERS[what]})
    told = [line for one in check_database(full) for line in one.wrong]
    assert [line.partition(", got")[0] for line in told] == [
        "rb_test_score 2: sealed: expected a sealed test score, as resbench writes it"
    ]
    with pytest.raises(DatabaseError, match="sealed: expected a sealed test score"):
        scores_of_test(sample.engine, "s", "ann")
    empty = str(tmp_path / "empty.db")
    open_store(empty, create=True).dispose()
    with pytest.raises(DatabaseError, match="rb_test_score 2: sealed"):
        merge(empty, [full])


@pytest.mark.sqlite
def test_who_browses_the_file_meets_no_test_score(sample: Sample) -> None:
    for seed in range(3):
        sample.add(sample.record(seed))
    with reading(sample.engine) as connection:
        names = [
            name for name, kind in connection.execute(text("SELECT name, type FROM sqlite_master")) if kind != "index"
        ]
        seen = [value for name in names for row in connection.execute(text(f'SELECT * FROM "{name}"')) for value in row]
    assert not {6.0, 7.0, 8.0} & {value for value in seen if isinstance(value, float)}
    assert not [value for value in seen if isinstance(value, str) and "6.0" in value]
    assert [row.test_error_pct for row in scores_of_test(sample.engine, "s", "ann")] == [6.0, 7.0, 8.0]


SCORES = ((1, 6.125, 0.1), (2, None, None), (3, 33.333333333333336, 1e-300))


def fill_older(url: str, scores: tuple[tuple[Any, ...], ...] = SCORES) -> None:
    """Three runs in a database as the version before left it, with test scores as numbers."""
    engine = connect(locate(url), create=True)
    with writing(engine) as connection:
        command.upgrade(alembic_config(connection), REVISIONS[6])
    sample = fill(engine)
    for seed in range(3):
        sample.add(replace(sample.record(seed), test_score=None))
    with writing(engine) as connection:
        for run_id, error, loss in scores:
            values = {"run_id": run_id, "error": error, "loss": loss}
            connection.execute(text("INSERT INTO rb_test_score VALUES (:run_id, :error, :loss)"), values)
    engine.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.long)])
def before(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The place of a database that is not there yet, or is empty."""
    if request.param == "sqlite":
        return str(tmp_path / "results.db")
    server: Server = request.getfixturevalue("server")
    return server.new()


def test_scores_of_an_older_database_are_sealed_by_the_upgrade(before: str) -> None:
    fill_older(before)
    done = upgrade_database(before)
    assert (done.found, done.now) == (REVISIONS[6], REVISIONS[-1])
    assert not [line for one in check_database(before) for line in one.wrong if "rb_test_score" in line]
    engine = open_store(before, create=False)
    with reading(engine) as connection:
        found = connection.execute(text("SELECT run_id, sealed FROM rb_test_score ORDER BY run_id")).all()
        assert [(run_id, *unseal(sealed)) for run_id, sealed in found] == list(SCORES)
        assert [sealed for _, sealed in found] == [seal(*numbers) for _, *numbers in SCORES], "another seal in 0008"
    rows = scores_of_test(engine, "s", "ann")
    assert [(row.run_id, row.test_error_pct, row.test_loss) for row in rows] == list(SCORES)
    engine.dispose()


@pytest.mark.sqlite
def test_a_score_that_no_version_wrote_does_not_end_the_upgrade(tmp_path: Path) -> None:
    path = str(tmp_path / "results.db")
    fill_older(path, ((1, 6.0, "low"), (2, 600.0, 0.5), (3, b"\xff", 0.5)))
    upgrade_database(path)
    told = [line for one in check_database(path) for line in one.wrong]
    assert [line.partition(": expected")[0] for line in told] == [f"rb_test_score {n}: sealed" for n in (1, 2, 3)]


@pytest.mark.long
@pytest.mark.sqlite
def test_more_scores_than_the_upgrade_reads_at_once(tmp_path: Path) -> None:
    path = str(tmp_path / "results.db")
    fill_older(path, ())
    with closing(sqlite3.connect(path)) as connection, connection:
        numbers = json.dumps(list(range(1, 20_002)))
        connection.execute(
            "INSERT INTO rb_run SELECT 9 + value, architecture, recipe, data, 9 + value, status, val_error_pct, val_loss, "
            "train_loss, epochs, train_s, wall_s, environment, created_at, error FROM rb_run, json_each(?) WHERE rb_run.id = 1",
            (numbers,),
        )
        connection.execute("INSERT INTO rb_test_score SELECT id, id % 100, id / 8.0 FROM rb_run")
        expected = connection.execute("SELECT * FROM rb_test_score ORDER BY run_id").fetchall()
    upgrade_database(path)
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT run_id, sealed FROM rb_test_score ORDER BY run_id").fetchall()
    assert [(run_id, *unseal(sealed)) for run_id, sealed in found] == expected


def test_test_scores_are_equal_where_their_texts_are() -> None:
    assert seal(6.0, 0.5) == seal(6.0, 0.5) != seal(0.5, 6.0)
    assert TestScore(*unseal(seal(6.0, 0.5))) == TestScore(6.0, 0.5)  # type: ignore[arg-type]
