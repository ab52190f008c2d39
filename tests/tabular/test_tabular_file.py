"""Which files are frozen benchmarks, and that one is written whole or not at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from shutil import copyfile

import pytest
from tabular_sample import study

from resbench.errors import BadInput, DatabaseError
from resbench.store.frozen.write import freeze
from resbench.store.open import open_store
from resbench.store.query.query import query
from resbench.store.results.studies import put_study
from resbench.tabular import load


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5000])


def scribble(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:100] + b"\xff" * 4000 + whole[4100:])


def later(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 9")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (cut, "x.db: is cut off; get it again"),
        (scribble, "x.db: the file is damaged"),
        (later, "x.db: has format 9; expected at most 1; install a later resbench"),
        (lambda path: path.write_bytes(b""), "is not a frozen benchmark; `resbench results freeze STUDY -o"),
        (lambda path: path.write_text("study: x\n" * 50), "is not a frozen benchmark"),
        (Path.unlink, "x.db: cannot be read: No such file"),
        (lambda path: (path.unlink(), path.mkdir()), "x.db: cannot be read: Is a directory"),
    ],
)
def test_a_file_that_is_none(spoil: Callable[[Path], object], told: str, frozen_once: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    copyfile(frozen_once, path)
    spoil(path)
    with pytest.raises(DatabaseError) as caught:
        load(path)
    assert told in str(caught.value)


def test_a_database_of_runs_is_none(tmp_path: Path) -> None:
    study(tmp_path / "results.db").dispose()
    with pytest.raises(DatabaseError, match="is a database, but not a frozen benchmark"):
        load(tmp_path / "results.db")


def test_a_frozen_file_is_no_database_of_runs(frozen_once: Path) -> None:
    before = frozen_once.read_bytes()
    for create in (True, False):
        with pytest.raises(
            DatabaseError, match=r"is a frozen benchmark, made by `resbench results freeze`.*tabular.load"
        ):
            open_store(str(frozen_once), create=create)
    with pytest.raises(DatabaseError, match="is a frozen benchmark"):
        query(str(frozen_once), "SELECT * FROM run", max_rows=9, timeout_s=9)
    assert frozen_once.read_bytes() == before


def test_it_says_itself_what_is_in_it(frozen_once: Path) -> None:
    with closing(sqlite3.connect(frozen_once)) as connection:
        schema = "\n".join(sql for (sql,) in connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"))
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    assert "-- validation error after the last epoch, percent" in schema
    assert "-- seconds of training in this epoch" in schema


def test_a_query_uses_an_index_for_all_that_it_reads(frozen_once: Path) -> None:
    from resbench.tabular.bench import _OF_SEED, _RUNS
    from resbench.tabular.entry import _BY_DIGEST, _BY_NAME

    with closing(sqlite3.connect(frozen_once)) as connection:
        for sql in (_OF_SEED, _RUNS, _BY_DIGEST, _BY_NAME):
            plan = connection.execute(f"EXPLAIN QUERY PLAN {sql}", [None] * sql.count("?")).fetchall()
            assert not [step[3] for step in plan if step[3].startswith("SCAN")]


def test_only_units_that_the_study_wants_and_runs_that_ended(tmp_path: Path) -> None:
    engine = study(tmp_path / "results.db")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE rb_trial SET active = 0 WHERE name = 'original'")
        connection.exec_driver_sql("UPDATE rb_run SET status = 'failed' WHERE architecture = 'a2_plain' AND seed = 0")
    freeze(engine, "small", tmp_path / "bench.db")
    engine.dispose()
    with load(tmp_path / "bench.db") as bench:
        assert bench.units == ("plain", "gated gate_bias=-6")
        assert (bench.query("plain").n, bench.query("plain").missing, bench.count()) == (2, 1, 5)


@pytest.mark.parametrize(
    ("study_name", "file", "told"),
    [
        ("empty", "bench.db", "study empty has no finished run yet; `resbench study run` trains them"),
        ("smal", "bench.db", "no study 'smal' in .*did you mean `small`"),
        ("small", "gone/bench.db", "there is no folder .*gone"),
        ("small", "results.db", "is the database itself and was left as it is"),
        ("small", "", "expected a file, got a folder"),
    ],
)
def test_what_cannot_be_frozen(study_name: str, file: str, told: str, tmp_path: Path) -> None:
    engine = study(tmp_path / "results.db")
    put_study(engine, "empty", "{}", "e")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(BadInput, match=told):
        freeze(engine, study_name, tmp_path / file, test_for="nobody")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT * FROM rb_reveal").fetchall() == []
    engine.dispose()
    assert sorted(tmp_path.iterdir()) == before


def test_what_fails_half_way_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = study(tmp_path / "results.db")
    monkeypatch.setattr("resbench.store.frozen.write._units", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        freeze(engine, "small", tmp_path / "bench.db")
    engine.dispose()
    assert [path.name for path in tmp_path.iterdir()] == ["results.db"]
