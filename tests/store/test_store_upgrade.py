"""Files of older versions are upgraded whole, and the one of before is kept; copies are whole or not there."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, create_engine, text
from store_sample import Sample, fill

from resbench.errors import BadInput, DatabaseError, StorageError
from resbench.store.connection.location import locate
from resbench.store.connection.transaction import writing
from resbench.store.maintenance import backup as copying
from resbench.store.maintenance.backup import backup
from resbench.store.maintenance.upgrade import upgrade_database
from resbench.store.migrate import upgrade as migrations
from resbench.store.migrate.upgrade import alembic_config
from resbench.store.open import connect, open_store
from resbench.store.schema.revision import REVISIONS

pytestmark = pytest.mark.sqlite


def older(db: str, revision: str) -> None:
    """A file as an older version left it, with a row in it."""
    engine = connect(locate(db), create=True)
    with writing(engine) as connection:
        command.upgrade(alembic_config(connection), revision)
        connection.execute(text("INSERT INTO rb_recipe VALUES ('d', 'n', '{}')"))
    engine.dispose()


def rows(path: Path | str, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


@pytest.mark.parametrize("revision", REVISIONS[:-1])
def test_every_older_schema_is_upgraded_and_kept(db: str, revision: str) -> None:
    older(db, revision)
    before = rows(db, "SELECT sql FROM sqlite_master ORDER BY name")
    done = upgrade_database(db)
    assert (done.found, done.now, done.no_reader) == (revision, REVISIONS[-1], None)
    assert done.copy == Path(f"{db}.{revision}")
    assert rows(done.copy, "SELECT sql FROM sqlite_master ORDER BY name") == before
    assert rows(done.copy, "SELECT name FROM rb_recipe") == rows(db, "SELECT name FROM rb_recipe") == [("n",)]
    engine = open_store(db, create=True)
    fill(engine)
    engine.dispose()
    again = upgrade_database(db)
    assert (again.found, again.copy) == (REVISIONS[-1], None)
    assert sorted(path.name for path in Path(db).parent.iterdir()) == ["results.db", f"results.db.{revision}"]


def test_a_copy_that_is_there_is_not_replaced(db: str) -> None:
    older(db, REVISIONS[0])
    Path(f"{db}.{REVISIONS[0]}").write_text("mine")
    assert upgrade_database(db).copy == Path(f"{db}.{REVISIONS[0]}.2")
    assert Path(f"{db}.{REVISIONS[0]}").read_text() == "mine"


def test_an_upgrade_that_fails_changes_nothing(db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    older(db, REVISIONS[0])
    before = rows(db, "SELECT sql FROM sqlite_master ORDER BY name")

    def fail(connection: object, revision: str) -> None:
        real(connection, REVISIONS[2])
        raise DatabaseError("no more")

    real = command.upgrade
    monkeypatch.setattr(migrations.command, "upgrade", lambda config, _: fail(config, _))
    with pytest.raises(DatabaseError, match="no more"):
        upgrade_database(db)
    assert rows(db, "SELECT sql FROM sqlite_master ORDER BY name") == before


def test_what_is_not_ours_or_newer_is_left_as_it_is(db: str, tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="no such database"):
        upgrade_database(db)
    older(db, REVISIONS[0])
    with closing(sqlite3.connect(db)) as connection, connection:
        connection.execute("UPDATE rb_alembic_version SET version_num = '0009_v1.4.0'")
    before = Path(db).read_bytes()
    with pytest.raises(DatabaseError, match=r"newer schema 0009_v1\.4\.0"):
        upgrade_database(db)
    assert Path(db).read_bytes() == before
    with closing(sqlite3.connect(tmp_path / "photos.db")) as connection:
        connection.execute("CREATE TABLE photos (id)")
    with pytest.raises(DatabaseError, match="another program"):
        upgrade_database(str(tmp_path / "photos.db"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photos.db", "results.db"]


def test_optuna_s_tables_alone_are_not_upgraded(db: str) -> None:
    from resbench.store.optuna.storage import optuna_storage

    optuna_storage(db).engine.dispose()
    with pytest.raises(DatabaseError, match="holds no results of resbench yet"):
        upgrade_database(db)


def test_a_copy_holds_what_is_committed_while_another_writes(sample: Sample, db: str, tmp_path: Path) -> None:
    sample.add(sample.record(0))
    with writing(sample.engine) as connection:
        connection.execute(text("UPDATE rb_study SET spec = 'not committed'"))
        copy = backup(db, str(tmp_path / "copy.db"))
    assert rows(copy, "SELECT spec FROM rb_study") == [("{}",)]
    assert rows(copy, "SELECT COUNT(*) FROM rb_epoch") == [(2,)]
    assert rows(copy, "PRAGMA journal_mode") == [("delete",)]
    open_store(str(copy), create=False).dispose()


def test_what_stands_there_is_replaced_only_by_force(sample: Sample, db: str, tmp_path: Path) -> None:
    out = tmp_path / "copy.db"
    out.write_text("mine")
    with pytest.raises(BadInput, match=r"exists already and was left as it is; give another name, or --force replaces"):
        backup(db, str(out))
    assert out.read_text() == "mine"
    backup(db, str(out), force=True)
    assert rows(out, "SELECT name FROM rb_study") == [("s",)]
    for bad, words in (
        (db, "is the database itself"),
        (str(tmp_path), "got a folder"),
        (str(tmp_path / "a" / "b"), "there is no folder"),
    ):
        with pytest.raises(BadInput, match=words):
            backup(db, bad, force=True)
    with pytest.raises(DatabaseError, match="pg_dump"):
        backup("postgresql://ann@host/x", str(tmp_path / "y.db"))
    assert sorted(path.name for path in tmp_path.iterdir() if "wal" not in path.name) == ["copy.db", "results.db"]


def test_a_copy_that_fails_leaves_nothing(
    sample: Sample, db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(copying.os, "fsync", full)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(StorageError, match="No space left"):
        backup(db, str(tmp_path / "copy.db"))
    assert sorted(tmp_path.iterdir()) == before


def test_a_damaged_file_is_not_copied(engine: Engine, db: str, tmp_path: Path) -> None:
    with writing(engine) as connection:
        connection.execute(
            text(
                "INSERT INTO rb_recipe SELECT 'a' || value, 'n', hex(zeroblob(2000)) FROM json_each('[1,2,3,4,5,6,7,8]')"
            )
        )
    engine.dispose()
    with Path(db).open("r+b") as file:
        file.seek(Path(db).stat().st_size - 4096 * 4)
        file.write(b"\xff" * 4096 * 2)
    with pytest.raises(DatabaseError, match="damaged"):
        backup(db, str(tmp_path / "copy.db"))
    assert not (tmp_path / "copy.db").exists()


def test_the_revisions_leave_no_trace_of_the_engine_they_ran_on() -> None:
    """A file in memory, by hand: what the revisions make needs nothing of ours."""
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), "head")
        assert connection.execute(text("SELECT COUNT(*) FROM v_units")).scalar() == 0
    engine.dispose()
