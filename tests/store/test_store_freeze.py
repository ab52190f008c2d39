"""A study is frozen, and its rows are read, from SQLite and from Postgres alike."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text
from store_sample import ENVIRONMENT, Sample

from resbench.api.results.results import Results
from resbench.errors import DatabaseError
from resbench.results.views import epoch_rows, run_rows
from resbench.store.connection.transaction import writing
from resbench.store.frozen.write import freeze


def test_the_frozen_file_is_the_same_from_both(sample: Sample, tmp_path: Path) -> None:
    for seed in (1, 0):
        sample.add(sample.record(seed))
    sample.add(sample.record(2, status="diverged", val_error_pct=None))
    sample.add(sample.record(3, status="failed", val_error_pct=None))
    freeze(sample.engine, "s", tmp_path / "bench.db", test_for="a test")
    with closing(sqlite3.connect(tmp_path / "bench.db")) as file:
        assert file.execute("SELECT seed, status, val_error_pct, train_s FROM run ORDER BY id").fetchall() == [
            (1, "complete", 5.0, 1.0), (0, "complete", 5.0, 1.0), (2, "diverged", None, 1.0)
        ]  # fmt: skip
        assert file.execute("SELECT epoch, val_error_pct FROM epoch WHERE run_id = 1").fetchall() == [
            (1, 10.0),
            (2, 5.0),
        ]
        assert file.execute("SELECT input_shape, macs FROM cost").fetchall() == [("1x8x8", 5000), ("3x32x32", 80000)]
        assert file.execute("SELECT digest, git_dirty, deterministic, tf32, plugins FROM environment").fetchall() == [
            (ENVIRONMENT.digest, 0, 1, 0, '{"mine":"1.0"}')
        ]
        assert file.execute("SELECT study, name, number, architecture, recipe, data FROM unit").fetchall() == [
            ("s", "pre", 0, "arch", "rec", "dat")
        ]
        assert file.execute("SELECT COUNT(*), MIN(test_error_pct) FROM test_score").fetchone() == (3, 6.0)


def test_rows_for_python_are_the_same_from_both(sample: Sample, db: str) -> None:
    run = sample.add(sample.record(0))
    (row,) = run_rows(sample.engine, "s")
    assert (row["unit"], row["active"], row["val_error_pct"], row["macs"], row["error"]) == (
        "pre",
        True,
        5.0,
        5000,
        None,
    )
    assert [(row["run_id"], row["epoch"], row["lr"]) for row in epoch_rows(sample.engine, "s")] == [
        (run, 1, 0.1), (run, 2, 0.05)
    ]  # fmt: skip
    with Results(db) as results:
        assert results.studies()[0]["runs"] == 1
        assert list(results.query("SELECT unit, macs FROM v_runs")) == [{"unit": "pre", "macs": 5000}]


UNFIT = {
    "rb_architecture": ("spec = '['", "rb_architecture arch: spec: expected a JSON object"),
    "rb_recipe": ("spec = '3'", "rb_recipe rec: spec: expected a JSON object"),
    "rb_data": ("input_shape = 'large'", "rb_data dat: input_shape: expected three sizes"),
    "rb_environment": ("plugins = '{\"a\": 1e999}'", r"rb_environment \w+: plugins: expected a JSON object"),
    "rb_trial": ("params = '[]'", "rb_trial 'pre': params: expected a JSON object"),
    "rb_study": ("spec = '{\"seeds\": 1}'", "study 's': spec: seeds: expected a list"),
}


@pytest.mark.parametrize("table", UNFIT)
def test_what_no_reader_of_the_file_could_take_is_not_written(table: str, sample: Sample, tmp_path: Path) -> None:
    sample.add(sample.record(0))
    change, words = UNFIT[table]
    with writing(sample.engine) as connection:
        connection.execute(text(f"UPDATE {table} SET {change}"))
    with pytest.raises(DatabaseError, match=words):
        freeze(sample.engine, "s", tmp_path / "out.db")
    assert not (tmp_path / "out.db").exists()
