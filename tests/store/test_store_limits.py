"""How long a transaction may take: who is stopped, by which limit, and what gives a longer one."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from resbench.errors import BadInput, DatabaseError
from resbench.store.connection import sqlite_open as sqlite_connection
from resbench.store.connection.dialect import sqlite_engine
from resbench.store.connection.limits import limit_of
from resbench.store.connection.location import locate
from resbench.store.connection.sqlite_open import connect as connect_file
from resbench.store.connection.sqlite_open import file_uri
from resbench.store.frozen.write import freeze
from resbench.store.maintenance.backup import backup
from resbench.store.maintenance.check import check_database
from resbench.store.maintenance.upgrade import upgrade_database
from resbench.store.merge.databases import merge
from resbench.store.migrate.upgrade import alembic_config
from resbench.store.open import connect, open_store
from resbench.store.results.reading import runs_of_study
from resbench.store.schema.frozen import write_whole
from resbench.store.schema.revision import REVISIONS

VARIABLE = "RESBENCH_TRANSACTION_S"
NO_TIME = 1e-9


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite looks at the clock at every step, so that the limit is met at the first one."""
    monkeypatch.setattr(sqlite_connection, "_STEPS_BETWEEN_LOOKS", 1)


def test_the_limit_is_given_or_that_of_the_environment_or_the_usual_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert (limit_of(), limit_of(5.0), limit_of(math.inf)) == (600.0, 5.0, math.inf)
    monkeypatch.setenv(VARIABLE, "1e4")
    assert (limit_of(), limit_of(5.0)) == (10_000.0, 5.0)
    monkeypatch.setenv(VARIABLE, "")
    assert limit_of() == 600.0
    for bad in ("0", "-3", "ten", "nan"):
        monkeypatch.setenv(VARIABLE, bad)
        with pytest.raises(BadInput, match=f"{VARIABLE}: expected a number of seconds above 0, got '{bad}'"):
            limit_of()


def _freeze(db: str) -> None:
    engine = connect(locate(db), create=False, transaction_s=None)
    freeze(engine, "s", Path(db).with_name("out.db"))


WAYS: dict[str, Callable[[str], object]] = {
    "check": check_database,
    "freeze": _freeze,
    "open to read": lambda db: open_store(db, create=False),
    "open to write": lambda db: open_store(db, create=True),
    "merge": lambda db: merge(db, [db.replace("results", "other")]),
}


@pytest.mark.sqlite
@pytest.mark.parametrize("way", WAYS)
def test_whoever_is_stopped_is_told_the_limit_and_what_changes_it(
    way: str, full: str, strict: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(NO_TIME))
    with pytest.raises(DatabaseError) as caught:
        WAYS[way](full)
    assert "results.db: took over 1e-09 s, the limit of one transaction, and was stopped" in str(caught.value)
    assert f"by {VARIABLE}, or by --timeout of `db check`, `db merge` and `results freeze`" in str(caught.value)


@pytest.mark.sqlite
def test_a_longer_limit_is_obeyed(full: str, strict: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "1e9")
    assert not [one for one in check_database(full) if one.wrong and "pages" in one.what]
    monkeypatch.setenv(VARIABLE, str(NO_TIME))
    assert check_database(full, transaction_s=1e9)
    engine = open_store(full, create=False, transaction_s=1e9)
    assert len(runs_of_study(engine, "s")) == 3
    engine.dispose()


@pytest.mark.sqlite
def test_an_upgrade_has_no_limit(tmp_path: Path, strict: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from alembic import command

    db = tmp_path / "old.db"
    engine = sqlite_engine(locate(str(db)), create=True, transaction_s=math.inf)
    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), REVISIONS[0])
    engine.dispose()
    monkeypatch.setenv(VARIABLE, str(NO_TIME))
    assert upgrade_database(str(db)).now == REVISIONS[-1]


def test_a_server_gets_the_same_limits(postgres: str) -> None:
    asked = text("SELECT current_setting('statement_timeout'), current_setting('idle_in_transaction_session_timeout')")
    for transaction_s, bulk, wanted in (
        (None, False, ("10min", "20s")),
        (90.0, False, ("90s", "20s")),
        (90.0, True, ("90s", "90s")),
        (math.inf, True, ("0", "0")),
        (1e12, True, ("2147483647ms", "2147483647ms")),
    ):
        engine = connect(locate(postgres), create=False, transaction_s=transaction_s, bulk=bulk)
        with engine.connect() as connection:
            assert tuple(connection.execute(asked).one()) == wanted
        engine.dispose()


@pytest.mark.sqlite
def test_whatever_opens_a_file_trusts_nothing_in_it(full: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[tuple[int, ...]] = []
    real = sqlite_connection.distrust

    def distrust(connection: object) -> None:
        real(connection)  # type: ignore[arg-type]
        names = ("trusted_schema", "cell_size_check", "mmap_size")
        opened.append(tuple((connection.execute(f"PRAGMA {name}").fetchone() or (0,))[0] for name in names))  # type: ignore[attr-defined]

    monkeypatch.setattr(sqlite_connection, "distrust", distrust)
    for step in (
        lambda: backup(full, str(tmp_path / "copy.db")),
        lambda: write_whole(tmp_path / "frozen.db", lambda connection: None),
        lambda: closing(connect_file(file_uri(Path(full), "rw"), timeout_s=0)).__enter__().close(),
    ):
        opened.clear()
        step()
        assert opened
        assert set(opened) == {(0, 1, 0)}
