"""The tables, the views and the revisions say the same."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import optuna
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, Connection, Engine, create_engine, inspect, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import OperationalError
from sqlalchemy.schema import CreateTable

from resbench.errors import DatabaseError
from resbench.store.connection.transaction import reading
from resbench.store.migrate.upgrade import alembic_config
from resbench.store.open import open_store, read_revision
from resbench.store.optuna.storage import optuna_storage
from resbench.store.schema.metadata import metadata
from resbench.store.schema.revision import REVISIONS
from resbench.store.schema.views import VIEWS


def differences(connection: Connection) -> list[object]:
    def ours(name: str | None, kind: str, _parents: object) -> bool:
        return kind != "table" or ((name or "").startswith("rb_") and name != "rb_alembic_version")

    options = {"compare_type": True, "compare_server_default": True, "include_name": ours}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


def master(connection: Connection) -> dict[str, str]:
    query = text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name <> 'rb_alembic_version'")
    return {name: " ".join(sql.split()) for name, sql in connection.execute(query)}


def test_the_revisions_make_what_tables_py_says(engine: Engine) -> None:
    with reading(engine) as connection:
        assert differences(connection) == []


def test_compare_metadata_would_see_a_column_too_many(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE rb_run ADD COLUMN more TEXT"))
        assert differences(connection) != []


@pytest.mark.sqlite
def test_what_compare_metadata_does_not_see_is_equal_too(engine: Engine) -> None:
    """Check constraints, WITHOUT ROWID, and the views: by the text SQLite keeps."""
    plain = create_engine("sqlite://")
    with plain.begin() as connection, reading(engine) as migrated:
        metadata.create_all(connection)
        for view in VIEWS:
            connection.execute(text(view.sql))
        expected, found = master(connection), master(migrated)
    assert found.keys() == expected.keys()
    for name in (view.name for view in VIEWS):
        assert found[name] == expected[name]
    for table in metadata.sorted_tables:
        assert ("WITHOUT ROWID" in found[table.name]) == ("WITHOUT ROWID" in expected[table.name])
        for constraint in table.constraints:
            if isinstance(constraint, CheckConstraint):
                assert str(constraint.sqltext) in found[table.name]
    plain.dispose()


def test_views_have_the_columns_they_tell_of(engine: Engine) -> None:
    with reading(engine) as connection:
        for view in VIEWS:
            found = connection.execute(text(f"SELECT * FROM {view.name}")).keys()
            assert list(found) == [name for name, _ in view.columns]
            assert all(what for _, what in view.columns)


def test_no_view_reads_test_scores() -> None:
    assert not [view.name for view in VIEWS if "test" in view.sql]


def test_every_column_says_what_it_is() -> None:
    assert [f"{t.name}.{c.name}" for t in metadata.sorted_tables for c in t.columns if not c.comment] == []


def test_the_known_revisions_are_those_in_the_folder(engine: Engine) -> None:
    with reading(engine) as connection:
        script = ScriptDirectory.from_config(alembic_config(connection))
        assert read_revision(connection) == REVISIONS[-1]
    assert [revision.revision for revision in script.walk_revisions()][::-1] == list(REVISIONS)
    assert all("resbench" not in line for line in _imports(Path(script.versions)))


def _imports(folder: Path) -> list[str]:
    lines = [line for file in folder.glob("*.py") for line in file.read_text().splitlines()]
    return [line for line in lines if line.startswith(("import ", "from "))]


def test_the_tables_can_be_made_in_postgres() -> None:
    words = "\n".join(str(CreateTable(table).compile(dialect=postgresql.dialect())) for table in metadata.sorted_tables)
    assert "seed BIGINT" in words
    assert "DOUBLE PRECISION" in words
    assert "WITHOUT ROWID" not in words


@pytest.mark.parametrize("ours_first", [True, False])
def test_optuna_and_we_live_in_one_file(db: str, ours_first: bool) -> None:
    if ours_first:
        open_store(db, create=True).dispose()
    storage = optuna_storage(db)
    engine = open_store(db, create=True)
    study = optuna.create_study(study_name="s", storage=storage, sampler=optuna.samplers.RandomSampler(seed=0))
    study.enqueue_trial({"x": 0.25})
    trial = study.ask()
    study.tell(trial, trial.suggest_float("x", 0, 1))
    assert study.best_value == 0.25
    with reading(engine) as connection:
        assert differences(connection) == []
        names = set(inspect(connection).get_table_names())
    assert {"alembic_version", "rb_alembic_version", "trials", "rb_trial"} <= names
    open_store(db, create=False).dispose()
    storage.engine.dispose()
    engine.dispose()


def test_optuna_is_quiet(db: str, capfd: pytest.CaptureFixture[str]) -> None:
    storage = optuna_storage(db)
    optuna.create_study(study_name="s", storage=storage, sampler=optuna.samplers.RandomSampler(seed=0))
    storage.engine.dispose()
    assert capfd.readouterr() == ("", "")


@pytest.mark.sqlite
def test_optuna_takes_the_write_lock_before_it_looks(db: str) -> None:
    """Else two processes that ask at once are given the same waiting trial."""
    storage = optuna_storage(db)
    with storage.engine.begin(), closing(sqlite3.connect(db, timeout=0)) as other:  # noqa: SIM117
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
    storage.engine.dispose()


@pytest.mark.sqlite
def test_optunas_connection_trusts_as_little_as_ours(db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    open_store(db, create=True).dispose()
    monkeypatch.setenv("RESBENCH_TRANSACTION_S", "0.01")
    storage = optuna_storage(db)
    long = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 3000000) SELECT count(*) FROM n"
    with storage.engine.begin() as connection:
        assert connection.exec_driver_sql("PRAGMA trusted_schema").scalar() == 0
        with pytest.raises(OperationalError, match="interrupted"):
            connection.exec_driver_sql(long)
    storage.engine.dispose()


@pytest.mark.sqlite
def test_optuna_makes_no_file_that_others_can_read(tmp_path: Path) -> None:
    optuna_storage(str(tmp_path / "new%20.db")).engine.dispose()
    assert [(path.name, path.stat().st_mode & 0o777) for path in tmp_path.iterdir()] == [("new%20.db", 0o600)]


@pytest.mark.sqlite
def test_optuna_too_is_refused_a_file_of_another_program(db: str) -> None:
    with closing(sqlite3.connect(db)) as connection:
        connection.execute("CREATE TABLE photos (id)")
    with pytest.raises(DatabaseError, match="another program"):
        optuna_storage(db)
