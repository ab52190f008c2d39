from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, text

from resbench import __version__
from resbench.errors import DatabaseError, ResbenchError
from resbench.store.connection.transaction import reading, writing
from resbench.store.open import open_store
from resbench.store.results.studies import put_study, study_names
from resbench.store.schema.revision import REVISIONS, check_revision
from resbench.store.schema.tables import rb_recipe

pytestmark = pytest.mark.sqlite  # what Postgres does otherwise is in test_store_postgres.py


def refused(path: Path | str, words: str, *, create: bool) -> None:
    with pytest.raises(DatabaseError, match=words) as caught:
        open_store(str(path), create=create)
    assert caught.value.exit_status == 4


def test_a_missing_file_is_made_only_where_told(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    refused(path, "no such database; `resbench study run", create=False)
    assert list(tmp_path.iterdir()) == []
    open_store(str(path), create=True).dispose()
    open_store(str(path), create=False).dispose()


@pytest.mark.parametrize("create", [True, False])
def test_a_folder_is_refused(tmp_path: Path, create: bool) -> None:
    refused(tmp_path, "is a folder", create=create)


@pytest.mark.parametrize("create", [True, False])
def test_a_missing_parent_is_refused(tmp_path: Path, create: bool) -> None:
    refused(tmp_path / "a" / "r.db", "does not exist", create=create)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("create", [True, False])
def test_a_file_that_is_not_sqlite_is_left_as_it_was(tmp_path: Path, create: bool) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("my notes\n" * 100)
    refused(path, "not an SQLite database", create=create)
    assert path.read_text() == "my notes\n" * 100


@pytest.mark.parametrize("journal", ["delete", "wal"])
@pytest.mark.parametrize("create", [True, False])
def test_a_database_of_another_program_is_left_as_it_was(tmp_path: Path, create: bool, journal: str) -> None:
    path = tmp_path / "photos.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA journal_mode={journal}")
        connection.execute("CREATE TABLE photos (id INTEGER)")
        connection.commit()
    before = path.read_bytes()
    refused(path, r"another program \(tables photos", create=create)
    assert path.read_bytes() == before


def test_a_path_where_no_file_can_be_made_is_told() -> None:
    with pytest.raises(DatabaseError, match=r"/proc/resbench\.db: cannot be made: unable to open database file"):
        open_store("/proc/resbench.db", create=True)


def test_an_empty_file_is_no_database_to_read_but_one_to_fill(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    path.touch()
    refused(path, "is empty", create=False)
    open_store(str(path), create=True).dispose()


def test_a_fifo_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    refused(tmp_path / "pipe", "expected a regular file", create=False)


def damaged(engine: Engine, db: str, start: int, length: int) -> bytes:
    with writing(engine) as connection:
        values = [{"digest": f"d{n}", "name": "n", "spec": "x" * 200} for n in range(200)]
        connection.execute(insert(rb_recipe), values)
    engine.dispose()
    with Path(db).open("r+b") as file:
        file.seek(start)
        file.write(b"\xff" * length)
    return Path(db).read_bytes()


@pytest.mark.parametrize("create", [True, False])
def test_a_damaged_schema_is_found(engine: Engine, db: str, create: bool) -> None:
    before = damaged(engine, db, 100, 3000)
    refused(db, "damaged.*left as it is", create=create)
    assert Path(db).read_bytes() == before


def test_damaged_rows_are_found_before_writing(engine: Engine, db: str) -> None:
    before = damaged(engine, db, Path(db).stat().st_size // 4096 * 4096 - 4096 * 4, 4096 * 2)
    refused(db, "damaged", create=True)
    assert Path(db).read_bytes() == before


@pytest.mark.parametrize("size", [50, 3 * 4096])
def test_a_file_cut_short_is_found(engine: Engine, db: str, size: int) -> None:
    engine.dispose()
    os.truncate(db, size)
    refused(db, "damaged", create=False)


def test_damage_met_later_is_told(engine: Engine, db: str) -> None:
    damaged(engine, db, 4096 * 2, Path(db).stat().st_size)
    raised: ResbenchError | None = None
    try:
        store = open_store(db, create=False)
        with reading(store) as connection:
            for table in ("rb_recipe", "rb_study", "rb_run", "rb_trial"):
                connection.execute(text(f"SELECT * FROM {table}")).all()
    except DatabaseError as error:
        raised = error
    assert raised is not None
    assert "damaged" in str(raised)


def test_a_read_only_database_is_read_but_refused_before_work(engine: Engine, db: str) -> None:
    put_study(engine, "s", "{}", "d")
    engine.dispose()
    url = f"sqlite:///{db}?mode=ro"
    refused(url, "read-only", create=True)
    store = open_store(url, create=False)
    assert study_names(store) == ["s"]
    with pytest.raises(DatabaseError, match="read-only"):
        put_study(store, "t", "{}", "d")
    store.dispose()


def test_a_file_that_is_gone_is_not_made_again(engine: Engine, db: str) -> None:
    engine.dispose()
    store = open_store(db, create=False)
    store.dispose()
    Path(db).unlink()
    with pytest.raises(DatabaseError, match="cannot be opened or is gone"):
        study_names(store)
    assert not Path(db).exists()


def test_a_newer_schema_names_the_version_it_needs(engine: Engine, db: str) -> None:
    with writing(engine) as connection:
        connection.execute(text("UPDATE rb_alembic_version SET version_num = '0009_v1.4.0'"))
    engine.dispose()
    before = Path(db).read_bytes()
    for create in (True, False):
        refused(db, r"newer schema 0009_v1.4.0; upgrade resbench to 1\.4\.0 or later", create=create)
    assert Path(db).read_bytes() == before


@pytest.mark.parametrize("found", [f"0999_v{__version__}", "0999_v0.0.9", "0999", "0999_vx.y"])
def test_a_newer_schema_does_not_ask_for_the_version_that_is_here(found: str) -> None:
    with pytest.raises(DatabaseError) as caught:
        check_revision(found, "r.db")
    assert str(caught.value) == (
        f"r.db: schema: expected {REVISIONS[-1]}, which is the newest that this resbench ({__version__}) knows, got the newer "
        f"schema {found}; upgrade resbench to a later version than {__version__}, or to the build that wrote the database"
    )


def test_an_older_schema_is_refused_with_the_command_that_upgrades_it() -> None:
    known = (*REVISIONS, "0003_v0.2.0")
    with pytest.raises(DatabaseError, match=r"older schema 0001_v0\.1\.0.*needs 0003.*`resbench db upgrade`"):
        check_revision(REVISIONS[0], "r.db", known)
    check_revision("0003_v0.2.0", "r.db", known)


def test_connections_hold_what_sqlite_does_not_by_itself(engine: Engine) -> None:
    with reading(engine) as connection:
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
        assert connection.execute(text("PRAGMA busy_timeout")).scalar() == 60_000


def test_a_writer_holds_the_lock_from_its_start(engine: Engine, db: str) -> None:
    with writing(engine), closing(sqlite3.connect(db, timeout=0)) as other:  # noqa: SIM117
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
    with reading(engine), closing(sqlite3.connect(db, timeout=0)) as other:
        other.execute("BEGIN IMMEDIATE")


def test_a_transaction_that_fails_leaves_nothing(engine: Engine) -> None:
    with pytest.raises(RuntimeError), writing(engine) as connection:  # noqa: PT012
        connection.execute(text("INSERT INTO rb_recipe VALUES ('d', 'n', '{}')"))
        raise RuntimeError
    with reading(engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM rb_recipe")).scalar() == 0


def test_a_full_disc_is_a_storage_error(engine: Engine) -> None:
    with pytest.raises(ResbenchError, match="full") as caught, writing(engine) as connection:  # noqa: PT012
        connection.execute(text("PRAGMA max_page_count = 1"))
        connection.execute(text("INSERT INTO rb_recipe VALUES ('d', 'n', :big)"), {"big": "x" * 10**6})
    assert caught.value.exit_status == 5


def test_a_journal_that_a_killed_writer_left_is_rolled_back(engine: Engine, db: str, tmp_path: Path) -> None:
    for n in range(50):
        put_study(engine, f"s{n}", "x" * 3000, "d")
    engine.dispose()
    copy = tmp_path / "copy.db"
    with closing(sqlite3.connect(db, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute("PRAGMA cache_size=2")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE rb_study SET spec = 'torn'")
        shutil.copy(db, copy)
        shutil.copy(f"{db}-journal", f"{copy}-journal")
    for create in (False, True):
        store = open_store(str(copy), create=create)
        with reading(store) as connection:
            assert connection.execute(text("SELECT count(*) FROM rb_study WHERE spec = 'torn'")).scalar() == 0
        store.dispose()


def test_reading_imports_neither_torch_nor_optuna_nor_alembic(engine: Engine, db: str) -> None:
    code = f"""
import sys
from resbench.store.queue import cells
from resbench.store.query.query import query
from resbench.store.results import reading, runs, studies
from resbench.store.open import open_store
open_store({db!r}, create=False)
query({db!r}, "SELECT 1", max_rows=1, timeout_s=5)
print([name for name in ("torch", "optuna", "alembic") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_many_who_open_an_empty_path_at_once_make_one_schema(db: str) -> None:
    code = f"from resbench.store.open import open_store; open_store({db!r}, create=True)"
    workers = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE) for _ in range(4)]
    assert [(worker.communicate()[1], worker.returncode) for worker in workers] == [(b"", 0)] * 4


def test_stores_do_not_share(another: Callable[[str], object], tmp_path: Path) -> None:
    another(str(tmp_path / "a.db"))
    store = open_store(str(tmp_path / "b.db"), create=True)
    assert study_names(store) == []
    store.dispose()
