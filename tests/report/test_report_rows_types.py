"""Exports of several studies are one table: the types of columns do not depend on the values."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import polars
import pytest
from report_study_sample import Made, made, store
from sqlalchemy import Engine, text

from resbench.results.views import leaderboard_rows
from resbench.results.writers import as_parquet
from resbench.store.connection.transaction import writing
from resbench.store.records import TrialRecord
from resbench.store.results.studies import put_trial

STUDIES = {  # their leaderboards differ in which values are missing, and are whole
    "one run": [Made("a", (5.0,))],
    "two units of one run": [Made("a", (5.0,)), Made("b", (6.0,))],
    "many runs": made(["a", "b", "c"]),
    "nothing but diverged": [Made("a", (None, None, None))],
    "some diverged": made(["a", "b"], seeds=4, diverging={1: 2}),
    "two objectives": made(["a", "b", "c"]),
}
MORE = {"two objectives": {"objectives": ["val_error_pct", "params"]}}
ALIASED = "some diverged"  # the study in which a unit has a second name


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("exports")
    found = []
    for name, units in STUDIES.items():
        engine = store(folder / f"{name}.db", units, **MORE.get(name, {}))
        if name == ALIASED:
            alias = TrialRecord(9, "another name", "unit", "resnet_cifar", {}, "a2_0000", "r2_rec", "d1_dat")
            put_trial(engine, 1, alias)
            link(engine)
        found.append(folder / f"{name}.parquet")
        found[-1].write_bytes(as_parquet(leaderboard_rows(engine, "s"), {"study": name}))
        engine.dispose()
    return found


def link(engine: Engine) -> None:
    """Put the runs of the first trial under the last one, too."""
    with writing(engine) as connection:
        last = "(SELECT MAX(id) FROM rb_trial)"
        connection.execute(
            text(f"INSERT INTO rb_study_run SELECT 1, run_id, {last}, 1 FROM rb_study_run WHERE trial_id = 1")
        )


def of_one_objective(exports: Sequence[Path]) -> list[Path]:
    return [path for path in exports if path.stem not in MORE]


def test_the_files_differ_in_what_is_missing(exports: list[Path]) -> None:
    frames = {path.stem: polars.read_parquet(path) for path in exports}
    assert frames["one run"]["std"].null_count() == 1
    assert frames["many runs"]["std"].null_count() == 0
    for name in ("tied_with_best", "median_interval", "median", "mean"):
        assert {frames[study][name].null_count() == frames[study].height for study in frames if study not in MORE} == {
            True,
            False,
        }
    assert frames[ALIASED]["aliases"].to_list()[0] == ["another name"]
    assert frames["many runs"]["aliases"].to_list() == [[], [], []]


def test_polars_scans_them_together(exports: list[Path]) -> None:
    found = polars.scan_parquet(of_one_objective(exports)).collect()
    assert found.height == sum(len(units) for name, units in STUDIES.items() if name not in MORE)
    both = polars.scan_parquet(exports, missing_columns="insert", extra_columns="ignore").collect()
    assert both.height == found.height + 3


def test_duckdb_scans_them_together(exports: list[Path]) -> None:
    pattern = str(exports[0].parent / "*.parquet")
    rows = sum(len(units) for units in STUDIES.values())
    sql = f"SELECT COUNT(*), COUNT(on_front) FROM read_parquet('{pattern}', union_by_name = true)"
    with duckdb.connect() as connection:
        assert connection.execute(sql).fetchone() == (rows, 3)
        types = {
            path.stem: [line[:2] for line in connection.execute(f"DESCRIBE SELECT * FROM '{path}'").fetchall()]
            for path in of_one_objective(exports)
        }
    assert len({str(found) for found in types.values()}) == 1, types
    assert dict(types["one run"])["tied_with_best"] == "BOOLEAN"
    assert dict(types["one run"])["median_interval"] == "DOUBLE[]"
    assert dict(types["one run"])["aliases"] == "VARCHAR[]"
    assert dict(types["one run"])["failed"] == "VARCHAR"
