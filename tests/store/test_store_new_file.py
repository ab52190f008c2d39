"""New databases, copies, merged and frozen files are their owner's alone; what is there keeps its mode and its bytes."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from decoys import place, snapshot
from store_sample import Sample, fill

from resbench.errors import BadInput
from resbench.store.connection.new_file import check_place, new_file
from resbench.store.frozen.write import freeze
from resbench.store.maintenance.backup import backup
from resbench.store.maintenance.upgrade import upgrade_database
from resbench.store.merge.databases import merge_to_new
from resbench.store.migrate.upgrade import alembic_config
from resbench.store.open import open_store
from resbench.store.results.studies import get_study

pytestmark = pytest.mark.sqlite


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(("umask", "wanted"), [(None, 0o600), ("022", 0o644)])
def test_whatever_resbench_makes(
    umask: str | None, wanted: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RESBENCH_UMASK", raising=False)
    if umask is not None:
        monkeypatch.setenv("RESBENCH_UMASK", umask)
    db = str(tmp_path / "results.db")
    sample = fill(open_store(db, create=True))
    sample.add(sample.record(0))
    assert {mode(path) for path in tmp_path.glob("results.db*")} == {wanted}  # SQLite's own files beside it too
    backup(db, str(tmp_path / "copy.db"))
    merge_to_new(str(tmp_path / "merged.db"), [db, str(tmp_path / "copy.db")])
    freeze(sample.engine, "s", tmp_path / "frozen.db")
    sample.engine.dispose()
    with closing(sqlite3.connect(db)) as connection, connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    for name in ("copy.db", "merged.db", "frozen.db", "results.db"):
        assert mode(tmp_path / name) == wanted, name


def test_the_copy_that_an_upgrade_keeps(tmp_path: Path) -> None:
    from alembic import command

    from resbench.store.connection.dialect import sqlite_engine
    from resbench.store.connection.location import locate
    from resbench.store.schema.revision import REVISIONS

    db = tmp_path / "old.db"
    engine = sqlite_engine(locate(str(db)), create=True, transaction_s=60)
    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), REVISIONS[0])
    engine.dispose()
    db.chmod(0o664)
    (tmp_path / f"old.db.{REVISIONS[0]}").symlink_to("nowhere")
    done = upgrade_database(str(db))
    assert done.copy == tmp_path / f"old.db.{REVISIONS[0]}.2"
    assert (mode(done.copy), mode(db)) == (0o600, 0o664)
    assert not (tmp_path / "nowhere").exists()


def test_a_database_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    open_store(str(tmp_path / "a.db"), create=True).dispose()
    (tmp_path / "a.db").chmod(0o664)
    (tmp_path / "empty.db").touch(0o644)
    for name in ("a.db", "empty.db"):
        before = mode(tmp_path / name)
        open_store(str(tmp_path / name), create=True).dispose()
        assert mode(tmp_path / name) == before


def test_a_database_behind_a_link_is_private_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to("real.db")
    open_store(str(tmp_path / "link.db"), create=True).dispose()
    assert (tmp_path / "link.db").is_symlink()
    assert mode(tmp_path / "real.db") == 0o600


def test_what_fails_leaves_the_decoys_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "outside").write_bytes(b"elsewhere")
    place(tmp_path / "here", tmp_path / "outside")
    target = tmp_path / "here" / "new.db"
    for name in ("new.db-shm", ".new.db.77.tmp", ".new.db.77.tmp-wal", f".new.db.{'0' * 16}.part-journal"):
        target.with_name(name).write_bytes(b"mine")
    before = snapshot(tmp_path)

    def fill(error: Exception) -> None:
        with new_file(target) as rough, closing(sqlite3.connect(rough)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("CREATE TABLE t (a)")
            raise error

    for error in (ZeroDivisionError(), OSError(28, "No space left on device"), BadInput("no")):
        with pytest.raises(type(error)) as raised:
            fill(error)
        assert raised.value is error  # it may be about another file
        assert snapshot(tmp_path) == before
    with new_file(target) as rough:
        rough.write_bytes(b"whole")
    assert snapshot(tmp_path) == before | {"here/new.db": ("file", b"whole")}


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("end", ["-wal", "-journal"])
def test_a_place_with_changes_beside_it_is_refused(end: str, force: bool, tmp_path: Path) -> None:
    (tmp_path / f"a.db{end}").write_bytes(b"changes")
    with pytest.raises(BadInput, match=rf"a\.db{end} beside it holds changes that belong to the file there"):
        check_place(tmp_path / "a.db", force=force)
    (tmp_path / f"a.db{end}").write_bytes(b"")
    check_place(tmp_path / "a.db", force=force)


@pytest.mark.parametrize("length", [248, 255, 300])
def test_a_name_beside_which_sqlite_could_write_no_journal(length: int, tmp_path: Path) -> None:
    """Of 255 bytes a file can be named, but its `-journal` cannot."""
    target = tmp_path / ("a" * length)
    for force in (False, True):
        with pytest.raises(BadInput, match="File name too long"):
            check_place(target, [target, tmp_path / "gone.db"], force=force)
    check_place(tmp_path / ("a" * 247))


@pytest.mark.parametrize("length", [250, 300])
def test_no_command_makes_a_database_of_such_a_name(
    length: int, tmp_path: Path, another: Callable[[str], Sample]
) -> None:
    sample = another(str(tmp_path / "results.db"))
    sample.add(sample.record(0))
    db, out = str(tmp_path / "results.db"), tmp_path / ("a" * length)
    before = sorted(path.name for path in tmp_path.iterdir())
    for make in (
        lambda: backup(db, str(out)),
        lambda: merge_to_new(str(out), [db]),
        lambda: freeze(sample.engine, "s", out),
    ):
        with pytest.raises(BadInput, match="File name too long"):
            make()
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.mark.parametrize("name", ["a%20b.db", "a?b.db"])
def test_a_database_is_never_frozen_over_itself(name: str, tmp_path: Path, another: Callable[[str], Sample]) -> None:
    sample = another(str(tmp_path / name))
    sample.add(sample.record(0))
    with pytest.raises(BadInput, match="is the database itself and was left as it is"):
        freeze(sample.engine, "s", tmp_path / name, force=True)
    assert get_study(sample.engine, "s").name == "s"


def test_a_source_is_seen_through_links(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"rows")
    (tmp_path / "b.db").symlink_to("a.db")
    (tmp_path / "c.db").hardlink_to(tmp_path / "a.db")
    for name in "abc":
        with pytest.raises(BadInput, match="is the database itself and was left as it is"):
            check_place(tmp_path / f"{name}.db", [tmp_path / "a.db"], force=True)
    check_place(tmp_path / "new.db", [tmp_path / "a.db", tmp_path / "gone.db"])


USES = {
    "somebody reads": ("DELETE", ("BEGIN", "SELECT * FROM t")),
    "somebody writes": ("DELETE", ("BEGIN IMMEDIATE",)),
    "somebody has it open, in WAL mode": ("WAL", ("SELECT * FROM t",)),
    "somebody reads, in WAL mode": ("WAL", ("BEGIN", "SELECT * FROM t")),
}


def used(path: Path, how: str) -> sqlite3.Connection:
    """A connection that uses the file; the first one leaves no changes beside it."""
    mode, statements = USES[how]
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(f"CREATE TABLE IF NOT EXISTS t (a); PRAGMA journal_mode = {mode}")
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    return connection


@pytest.mark.parametrize("how", USES)
def test_a_database_in_use_is_not_replaced(how: str, tmp_path: Path) -> None:
    target, source = tmp_path / "live.db", tmp_path / "a.db"
    open_store(str(source), create=True).dispose()
    with closing(used(target, how)):
        before = target.read_bytes()
        ways: tuple[Callable[[], object], ...] = (
            lambda: backup(str(source), str(target), force=True),
            lambda: merge_to_new(str(target), [str(source)], force=True),
            lambda: check_place(target, force=True),
        )
        for way in ways:
            with pytest.raises(BadInput, match=r"live\.db: is a database that another process or connection uses"):
                way()
        assert target.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.db", "live.db"]
    backup(str(source), str(target), force=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.db", "live.db"]
    open_store(str(target), create=False).dispose()


@pytest.mark.parametrize("how", USES)
def test_a_database_that_comes_into_use_meanwhile_is_not_replaced(how: str, tmp_path: Path) -> None:
    target = tmp_path / "live.db"
    with closing(sqlite3.connect(target)) as connection:
        connection.execute("CREATE TABLE t (a)")
    users = []

    def fill() -> None:
        with new_file(target, force=True) as rough:
            rough.write_bytes(b"new")
            users.append(used(target, how))

    with pytest.raises(BadInput, match="another process or connection uses"):
        fill()
    users.pop().close()
    with closing(sqlite3.connect(target)) as connection:
        assert connection.execute("SELECT * FROM t").fetchall() == []
    assert [path.name for path in tmp_path.iterdir()] == ["live.db"]


@pytest.mark.parametrize("content", [b"", b"a text", b"SQLite format 3\0 and no more"])
def test_what_is_no_database_is_in_no_use(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(content)
    check_place(tmp_path / "a.db", force=True)
    assert (tmp_path / "a.db").read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == ["a.db"]
