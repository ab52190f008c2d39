"""A stranger's database that SQLite opens without a word: what is wrong with it is told with its name, by whoever meets it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine

from resbench.errors import BadInput, DatabaseError, StorageError
from resbench.store.connection import dialect
from resbench.store.connection.location import locate
from resbench.store.frozen.write import freeze
from resbench.store.maintenance.check import check_database
from resbench.store.maintenance.upgrade import upgrade_database
from resbench.store.merge.databases import merge
from resbench.store.open import open_store
from resbench.store.results.catalogue import get_architecture, get_data, get_recipe
from resbench.store.results.progress import study_status
from resbench.store.results.reading import list_studies, reveals, run_detail, runs_of_study
from resbench.store.results.reading import test_scores as scores_of_test
from resbench.store.results.studies import get_study

pytestmark = pytest.mark.sqlite


def script(db: str, sql: str) -> None:
    with closing(sqlite3.connect(db)) as connection:
        connection.executescript(f"PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; {sql}")


def without_rules(table: str) -> str:
    """The table with its rows, and nothing that it forbids or refers to."""
    return (
        f"PRAGMA legacy_alter_table = ON; CREATE TABLE copy AS SELECT * FROM {table}; DROP TABLE {table}; "
        f"ALTER TABLE copy RENAME TO {table};"
    )


def without(rule: str, table: str, put: str = "") -> str:
    """The table without one of its rules, but still the one that others refer to."""
    kept = f"replace(replace(replace(sql, 'IS NOT NULL', 'IS SOME'), '{rule}', '{put}'), 'IS SOME', 'IS NOT NULL')"
    return f"PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = {kept} WHERE name = '{table}';"


SCHEMAS = {
    "a statement that is no UTF-8": "UPDATE sqlite_master SET sql = CAST(x'43ff' AS TEXT) || sql WHERE name = 'rb_epoch'",
    "a name that is no UTF-8": "UPDATE sqlite_master SET name = CAST(x'72ff' AS TEXT) WHERE name = 'rb_epoch'",
    "a name that is no text": "UPDATE sqlite_master SET name = x'ff' WHERE name = 'rb_epoch'",
    "a table that is none": "UPDATE sqlite_master SET sql = 'CREATE TABLE' WHERE name = 'rb_epoch'",
}


@pytest.mark.parametrize("what", SCHEMAS)
def test_a_schema_that_cannot_be_read(what: str, full: str) -> None:
    script(full, f"PRAGMA writable_schema = ON; {SCHEMAS[what]}")
    before = Path(full).read_bytes()
    ways: tuple[Callable[[], object], ...] = (
        lambda: open_store(full, create=False),
        lambda: open_store(full, create=True),
        lambda: check_database(full),
        lambda: upgrade_database(full),
    )
    for way in ways:
        with pytest.raises(DatabaseError, match=r"results\.db: "):
            way()
    assert Path(full).read_bytes() == before


@pytest.mark.parametrize("value", ["x''", "7", "x'ff'"])
def test_a_name_of_the_schema_that_is_no_text(value: str, full: str) -> None:
    script(full, f"{without_rules('rb_alembic_version')} UPDATE rb_alembic_version SET version_num = {value}")
    for way in (lambda: open_store(full, create=False), lambda: check_database(full), lambda: upgrade_database(full)):
        with pytest.raises(DatabaseError, match=r"results\.db: .*(expected a text as the name|newer schema 7)"):
            way()


def test_a_text_that_is_no_utf8(full: str) -> None:
    script(full, "UPDATE rb_study SET name = CAST(x'73ff' AS TEXT)")
    engine = open_store(full, create=False)
    with pytest.raises(DatabaseError, match=r"results\.db: "):
        list_studies(engine)
    engine.dispose()


def test_a_text_that_can_be_written_nowhere(full: str) -> None:
    """Half of a pair of surrogates: as a name that is asked for, and as JSON can write it."""
    engine = open_store(full, create=False)
    with pytest.raises(DatabaseError, match=r"results\.db: a text was refused, since it is not valid Unicode"):
        get_study(engine, "\ud800")
    engine.dispose()
    script(full, """UPDATE rb_study SET spec = '{"units": ["\\ud800"]}'""")
    with pytest.raises(DatabaseError, match=r"results\.db: holds rows .*spec: expected a JSON object"):
        merge(full, [_empty(full)])


def _empty(db: str) -> str:
    other = str(Path(db).with_name("other.db"))
    if not Path(other).exists():
        open_store(other, create=True).dispose()
    return other


def test_what_its_rows_refer_to_is_not_there(full: str) -> None:
    script(full, "UPDATE rb_run SET recipe = 'gone', environment = 'gone'")
    engine = open_store(full, create=False)
    with pytest.raises(
        DatabaseError, match=r"results\.db: holds no recipe with the digest gone, to which its rows refer"
    ):
        run_detail(engine, 1)
    with pytest.raises(BadInput, match=r"results\.db: no architecture has the digest 'x'"):
        get_architecture(engine, "x")
    engine.dispose()


SPECS: dict[str, Callable[[Engine], object]] = {
    "rb_recipe": lambda engine: get_recipe(engine, "rec"),
    "rb_architecture": lambda engine: get_architecture(engine, "arch"),
}


@pytest.mark.parametrize("spec", ["x", "[]", "", "{", '{"a": NaN}', '{"a": 1e999}', '{"a": [-1.5E+400]}'])
@pytest.mark.parametrize("table", SPECS)
def test_a_spec_that_is_no_json(table: str, spec: str, full: str) -> None:
    script(full, f"UPDATE {table} SET spec = '{spec}'")
    engine = open_store(full, create=False)
    with pytest.raises(DatabaseError, match=rf"results\.db: {table} \w+: spec: expected a JSON object"):
        SPECS[table](engine)
    with pytest.raises(DatabaseError, match="spec: expected a JSON object"):
        run_detail(engine, 1)
    engine.dispose()


def test_numbers_that_are_finite_are_json(full: str) -> None:
    script(full, """UPDATE rb_recipe SET spec = '{"a": [1e308, -0.0, 1e-400, 5]}'""")
    engine = open_store(full, create=False)
    assert get_recipe(engine, "rec").spec == '{"a": [1e308, -0.0, 1e-400, 5]}'
    engine.dispose()


FLAGS: dict[str, Callable[[Engine], object]] = {
    "rb_trial.active": lambda engine: runs_of_study(engine, "s"),
    "rb_study_run.judges": lambda engine: runs_of_study(engine, "s"),
    "rb_environment.git_dirty": lambda engine: run_detail(engine, 1),
    "rb_environment.tf32": lambda engine: run_detail(engine, 1),
}


@pytest.mark.parametrize("value", ["'abc'", "2", "-5", "0.5", "x'00'"])
@pytest.mark.parametrize("column", FLAGS)
def test_a_flag_that_is_neither_true_nor_false(column: str, value: str, full: str) -> None:
    table, name = column.split(".")
    script(full, f"UPDATE {table} SET {name} = {value}")
    engine = open_store(full, create=False)
    ways = [FLAGS[column]]
    if table in ("rb_trial", "rb_study_run"):
        out = Path(full).with_name("out.db")
        ways.append(lambda engine: freeze(engine, "s", out))
    if name == "judges":
        ways.append(lambda engine: scores_of_test(engine, "s", "ann"))
    for way in ways:
        with pytest.raises(DatabaseError, match=rf"results\.db: {name}: expected 0 or 1, got "):
            way(engine)
    assert reveals(engine, "s") == []
    engine.dispose()
    assert not Path(full).with_name("out.db").exists()


def test_flags_are_truth_values(full: str) -> None:
    script(full, "UPDATE rb_trial SET active = 0; UPDATE rb_study_run SET judges = 1; "
           "UPDATE rb_environment SET tf32 = 1, deterministic = 0, git_dirty = NULL")  # fmt: skip
    engine = open_store(full, create=False)
    assert [(run.active, run.judges) for run in runs_of_study(engine, "s")] == [(False, True)] * 3
    found = run_detail(engine, 1).environment
    assert (found.tf32, found.deterministic, found.git_dirty) == (True, False, None)
    engine.dispose()


NOTHING: dict[str, Callable[[Engine], object]] = {
    "rb_architecture.network": lambda engine: get_architecture(engine, "arch"),
    "rb_architecture.spec": lambda engine: run_detail(engine, 1),
    "rb_architecture.params": lambda engine: runs_of_study(engine, "s"),
    "rb_data.name": lambda engine: runs_of_study(engine, "s"),
    "rb_data.n_val": lambda engine: get_data(engine, "dat"),
    "rb_environment.python": lambda engine: run_detail(engine, 1),
    "rb_environment.tf32": lambda engine: run_detail(engine, 1),
    "rb_study.name": lambda engine: get_study(engine, "s"),
    "rb_study.created_at": list_studies,
    "rb_trial.name": lambda engine: runs_of_study(engine, "s"),
    "rb_run.seed": lambda engine: runs_of_study(engine, "s"),
    "rb_run.status": lambda engine: run_detail(engine, 1),
    "rb_cell.seeds": lambda engine: study_status(engine, "s"),
    "rb_trial.number": lambda engine: freeze(engine, "s", Path(str(engine.url.database)).with_name("out.db")),
    "rb_cost.macs": lambda engine: freeze(engine, "s", Path(str(engine.url.database)).with_name("out.db")),
}


@pytest.mark.parametrize("column", NOTHING)
def test_nothing_where_a_column_needs_something(column: str, full: str) -> None:
    """`db check` lists it, and no merge takes it."""
    table, name = column.split(".")
    if table == "rb_cell":
        script(full, "INSERT INTO rb_cell (id, trial_id, architecture, recipe, data, seeds, status, token) "
               "VALUES (1, 1, 'arch', 'rec', 'dat', '[]', 'running', 1)")  # fmt: skip
    script(full, without(" NOT NULL", table))
    script(full, f"UPDATE {table} SET {name} = NULL")
    engine = open_store(full, create=False)
    with pytest.raises(DatabaseError, match=r"results\.db: .*expected .*, got None"):
        NOTHING[column](engine)
    engine.dispose()
    assert not Path(full).with_name("out.db").exists()
    with pytest.raises(DatabaseError, match=rf"results\.db: holds rows .*: {name}: expected .*, got None"):
        merge(_empty(full), [full])
    told = [line for one in check_database(full) for line in one.wrong]
    assert any(f"{name}: expected" in line for line in told)


def test_a_status_that_no_run_has(full: str) -> None:
    script(full, without("CHECK (status", "rb_run", "CHECK (1 OR status"))
    script(full, "UPDATE rb_run SET status = 'queued' WHERE id = 1")
    with pytest.raises(
        DatabaseError, match=r"rb_run 1: status: expected one of complete, diverged, stopped, failed, got"
    ):
        merge(_empty(full), [full])


TWICE = {
    "an epoch": ("rb_epoch", "INSERT INTO rb_epoch SELECT * FROM rb_epoch WHERE run_id = 1"),
    "a test score": ("rb_test_score", "INSERT INTO rb_test_score SELECT * FROM rb_test_score"),
    "costs": ("rb_cost", "INSERT INTO rb_cost SELECT * FROM rb_cost"),
    "costs of no network": ("rb_cost", "UPDATE rb_cost SET architecture = 'gone'"),
}


@pytest.mark.parametrize("what", TWICE)
def test_rows_that_contradict_each_other_are_not_merged(what: str, full: str) -> None:
    """Where a table forbids nothing any more, the database merged into does, and the other one is to blame."""
    table, sql = TWICE[what]
    script(full, f"{without_rules(table)} {sql}")
    other = _empty(full)
    before = Path(other).read_bytes()
    with pytest.raises(
        DatabaseError, match=r"results\.db: cannot be merged into .*other\.db, which refused a row of it"
    ):
        merge(other, [full])
    assert Path(other).read_bytes() == before


def test_what_keeps_the_journal_from_being_set_is_told(full: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(sqlite3.Connection):
        def execute(self, sql: str, *values: object) -> sqlite3.Cursor:
            if "journal_mode" in sql:
                error = sqlite3.DatabaseError("malformed")
                error.sqlite_errorname = name
                raise error
            return super().execute(sql, *values)

    monkeypatch.setattr(dialect, "connect", lambda uri, timeout_s: sqlite3.connect(uri, uri=True, factory=Broken))
    for name, kind in (("SQLITE_CORRUPT", DatabaseError), ("SQLITE_IOERR_READ", StorageError)):  # noqa: B007
        with pytest.raises(kind, match=r"results\.db: .*malformed"):
            dialect.set_journal(locate(full))
