"""Every column of every view, as SQLite gives it, is what DuckDB, Postgres and the readers of polars make of it."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, text
from store_sample import Sample, fill

from resbench.store.connection.transaction import reading, writing
from resbench.store.open import open_store
from resbench.store.schema.tables import rb_profile
from resbench.store.schema.views import VIEWS

Tables = dict[str, list[dict[str, Any]]]
SCORES = {  # of the converged runs of each unit, and how many runs diverged beside them
    "a first unit of NULLs": ([], 2),
    "even": ([5.0, 7.0, 6.5, 9.25], 0),
    "odd": ([6.61, 6.37, 6.5, 7.0, 6.2], 0),
    "even with one diverged": ([4.0, 8.0, 5.5], 1),
    "odd with two diverged": ([4.0, 6.0, 5.0], 2),
    "median on a diverged one": ([4.0, 6.0], 2),
    "one": ([5.25], 0),
    "all equal": ([0.1] * 6, 0),
    "far apart": ([5.0] * 39 + [95.0], 0),
    "close together": ([50 + 2.0**-20 * k for k in range(8)], 0),
}


def fill_views(sample: Sample) -> None:
    for number, (name, (scores, diverged)) in enumerate(SCORES.items(), 1):
        trial = sample.trial(number, name, f"a{number}", active=number % 3 > 0)
        record = sample.record(0, architecture=f"a{number}")
        for seed, score in enumerate(scores):
            sample.add(replace(record, seed=seed, val_error_pct=score), trial)
        for seed in range(100, 100 + diverged):
            error = None if seed % 2 else 3.0
            sample.add(replace(record, seed=seed, status="diverged", val_error_pct=error, history=()), trial)
    sample.trial(90, "another name", "a2")
    sample.add(replace(sample.record(200, architecture="a3"), status="stopped"), 4)
    sample.add(replace(sample.record(201, architecture="a3"), status="failed", val_error_pct=None, error="killed"), 4)
    profile = {"architecture": "a2", "recipe": "rec", "data": "dat", "seed": 0, "epoch": 0, "variance": 1.5}
    with writing(sample.engine) as connection:
        connection.execute(insert(rb_profile), [profile | {"unit": n, "dead_pct": n * 2.5 or None} for n in range(3)])


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("views") / "results.db"
    engine = open_store(str(path), create=True)
    fill_views(fill(engine))
    engine.dispose()
    return path


@pytest.fixture(scope="module")
def expected(path: Path) -> Tables:
    return in_sqlite(path)


def in_sqlite(path: Path) -> Tables:
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return {v.name: [dict(row) for row in connection.execute(f"SELECT * FROM {v.name}")] for v in VIEWS}


def key(row: dict[str, Any]) -> tuple[str, ...]:
    """What tells rows of a view apart; no number that was worked out."""
    names = ("study", "unit", "digest", "input_shape", "seed", "epoch", "number")
    return tuple(str(row[name]) for name in names if name in row)


def refuse_difference(found: Tables, expected: Tables, leave_out: tuple[str, ...] = ()) -> None:
    for name, rows in expected.items():
        assert len(found[name]) == len(rows), name
        for one, other in zip(sorted(found[name], key=key), sorted(rows, key=key), strict=True):
            assert one.keys() == other.keys()
            for column in one.keys() - set(leave_out):
                assert is_equal(one[column], other[column]), (name, key(one), column, one[column], other[column])


def is_equal(one: object, other: object) -> bool:
    """Sums may be taken in another order."""
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9)
    return one == other


def in_duckdb(path: Path) -> tuple[Tables, dict[str, dict[str, str]]]:
    import duckdb

    folder = files("duckdb_extension_sqlite_scanner") / f"extensions/v{duckdb.__version__}"
    found: Tables = {}
    types = {}
    with as_file(folder / "sqlite_scanner.duckdb_extension") as file, closing(duckdb.connect()) as connection:
        connection.execute(f"LOAD '{file}'")
        connection.execute(f"ATTACH '{path}' AS x (TYPE sqlite, READ_ONLY)")
        for view in VIEWS:
            cursor = connection.execute(f"SELECT * FROM x.{view.name}")
            types[view.name] = {column[0]: str(column[1]) for column in cursor.description}
            found[view.name] = [dict(zip(types[view.name], row, strict=True)) for row in cursor.fetchall()]
    return found, types


def in_connectorx(path: Path) -> tuple[Tables, dict[str, dict[str, str]]]:
    """What polars takes where no engine is named."""
    import polars

    frames = {
        v.name: polars.read_database_uri(f"SELECT * FROM {v.name}", f"sqlite:///{path.absolute()}") for v in VIEWS
    }
    types = {name: {column: str(kind) for column, kind in frame.schema.items()} for name, frame in frames.items()}
    return {name: frame.to_dicts() for name, frame in frames.items()}, types


def test_the_sample_has_medians_of_both_kinds_and_a_first_null(expected: Tables) -> None:
    medians = {row["unit"]: row["median"] for row in expected["v_leaderboard"]}
    assert (medians["even"], medians["odd"], medians["even with one diverged"]) == (6.75, 6.5, 6.75)
    assert (medians["odd with two diverged"], medians["median on a diverged one"]) == (6.0, None)
    first = expected["v_leaderboard"][0]
    assert [name for name in first if first[name] is None] == ["mean", "std", "min", "max", "median", "macs", "train_s"]
    assert expected["v_units"][0]["aliases"] is None
    assert any(row["aliases"] for row in expected["v_units"])


@pytest.mark.parametrize("read", [in_duckdb, in_connectorx])
def test_another_engine_reads_the_same(
    read: Callable[[Path], tuple[Tables, dict[str, dict[str, str]]]], path: Path, expected: Tables, tmp_path: Path
) -> None:
    found, types = read(path)
    refuse_difference(found, expected)
    open_store(str(tmp_path / "empty.db"), create=True).dispose()
    assert read(tmp_path / "empty.db") == ({view.name: [] for view in VIEWS}, types), "types depend on the rows"


def test_views_call_nothing_that_an_sqlite_may_lack(path: Path) -> None:
    called = set[str]()

    def authorize(action: int, _first: str | None, second: str | None, _schema: str | None, _by: str | None) -> int:
        if action == sqlite3.SQLITE_FUNCTION:
            called.add((second or "").lower())
        return sqlite3.SQLITE_OK

    with closing(sqlite3.connect(path)) as connection:
        connection.set_authorizer(authorize)
        for view in VIEWS:
            connection.execute(f"SELECT * FROM {view.name}").fetchall()
    assert called - {"coalesce", "nullif"} == {"avg", "count", "max", "min", "row_number", "sum"}


def test_one_study_of_many_is_read_alone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        plan = connection.execute("EXPLAIN QUERY PLAN SELECT unit, std FROM v_leaderboard WHERE study = 's'").fetchall()
    assert next(line[3] for line in plan if " s USING" in line[3]).startswith("SEARCH s ")


@pytest.mark.long
def test_postgres_reads_the_same(postgres: str, expected: Tables) -> None:
    engine = open_store(postgres, create=True)
    fill_views(fill(engine))
    with reading(engine) as connection:
        found = {
            v.name: [dict(row) for row in connection.execute(text(f"SELECT * FROM {v.name}")).mappings()] for v in VIEWS
        }
    engine.dispose()
    refuse_difference(found, expected, leave_out=("created_at",))
