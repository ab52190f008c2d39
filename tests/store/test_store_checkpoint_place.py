"""Whose a folder of checkpoints is: nothing in it is removed but what this database wrote, and strangers' folders are refused."""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from decoys import place, snapshot
from postgres_server import Server, name_in
from sqlalchemy import Engine, select, text
from store_sample import Sample

from resbench.errors import BadInput, StorageError
from resbench.store.checkpoints import files as checkpoint_files
from resbench.store.checkpoints.mark import MARK, read_mark
from resbench.store.checkpoints.place import claim, identity, own_place, refuse_strangers
from resbench.store.connection.transaction import reading, writing
from resbench.store.open import open_store
from resbench.store.queue.cells import claim_cell, end_attempt, enqueue_cell
from resbench.store.records import Ending
from resbench.store.results.checkpoints import Checkpoints, checkpoint_key, forget_stopped, sweep
from resbench.store.schema.work_tables import rb_cell, rb_checkpoint, rb_lease

KEY = checkpoint_key("a", "r", "d", (0, 1), "contiguous")
OTHER = "ab" * 16


def kept_by(sample: Sample, folder: Path) -> Checkpoints:
    """Of a cell that runs, in a folder that the database has claimed."""
    enqueue_cell(sample.engine, sample.trial_id, [0, 1])
    cell = claim_cell(sample.engine, sample.study_id, "w")
    assert cell is not None
    claim(sample.engine, folder)
    return Checkpoints(sample.engine, folder, KEY, cell)


@pytest.fixture
def kept(sample: Sample, tmp_path: Path) -> Checkpoints:
    return kept_by(sample, tmp_path / "kept")


def stop(kept: Checkpoints) -> None:
    end_attempt(kept.engine, kept.cell, Ending("retry", "lost", "gone"))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    (tmp_path / "outside").write_bytes(b"elsewhere")
    return tmp_path / "outside"


def test_a_folder_that_resbench_makes_is_marked_private_and_goes_when_nothing_is_left(kept: Checkpoints) -> None:
    assert not kept.folder.exists()
    kept.save(1, b"one")
    assert names(kept.folder) == [MARK, f"{KEY}.1.1"]
    assert (mode(kept.folder), mode(kept.folder / f"{KEY}.1.1")) == (0o700, 0o600)
    assert mode(kept.folder / MARK) == 0o600  # it says where the database is
    assert (kept.folder / MARK).read_text().startswith("Here resbench keeps runs under way, and weights.")
    kept.forget()
    assert names(kept.folder) == [MARK]
    stop(kept)
    assert sweep(kept.engine, kept.folder) == 0
    assert not kept.folder.exists()
    assert not [path for path in kept.folder.parent.iterdir() if "kept" in path.name]


def test_the_umask_of_resbench_is_that_of_the_folder_too(kept: Checkpoints, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESBENCH_UMASK", "027")
    kept.save(1, b"one")
    assert (mode(kept.folder), mode(kept.folder / f"{KEY}.1.1")) == (0o750, 0o640)
    monkeypatch.setenv("RESBENCH_UMASK", "none")
    with pytest.raises(BadInput, match="RESBENCH_UMASK"):
        claim(kept.engine, kept.folder)


def test_every_decoy_survives_in_a_folder_of_ours(kept: Checkpoints, tmp_path: Path, outside: Path) -> None:
    kept.save(1, b"one")
    place(kept.folder, outside)
    decoys = snapshot(tmp_path)
    for epoch in (2, 3, 4):
        kept.save(epoch, b"%d" % epoch)
    (kept.folder / f"{KEY}.9.1.77.tmp").write_bytes(b"half")
    (kept.folder / f"{OTHER}.9.77.tmp").write_bytes(b"half, as of an older version")
    (kept.folder / f"{OTHER}.9.1").write_bytes(b"whole, and never told of")
    stop(kept)
    assert sweep(kept.engine, kept.folder) == 3
    assert list(kept.load()) == [b"4", b"3"]
    ours = {f"kept/{KEY}.{epoch}.1": ("file", b"%d" % epoch) for epoch in (3, 4)}
    del decoys[f"kept/{KEY}.1.1"]  # the third oldest
    assert without_database(snapshot(tmp_path)) == without_database(decoys | ours)
    kept.clear()
    sweep(kept.engine, kept.folder)
    assert without_database(snapshot(tmp_path)) == without_database(decoys)


def without_database(found: dict[str, object]) -> dict[str, object]:
    return {name: what for name, what in found.items() if not name.startswith("results.db")}


@pytest.mark.sqlite
def test_every_decoy_survives_in_a_folder_without_a_mark(sample: Sample, tmp_path: Path, outside: Path) -> None:
    """One that was never claimed, such as of an older version: only files of keys that rows tell of may go."""
    folder = tmp_path / "kept"
    enqueue_cell(sample.engine, sample.trial_id, [0, 1])
    cell = claim_cell(sample.engine, sample.study_id, "w")
    assert cell is not None
    kept = Checkpoints(sample.engine, folder, KEY, cell)
    place(folder, outside)
    (folder / f"{OTHER}.1.1").write_bytes(b"another's")
    decoys = without_database(snapshot(tmp_path))
    kept.save(1, b"one")
    (folder / f"{KEY}.2.1.77.tmp").write_bytes(b"half")
    stop(kept)
    assert sweep(kept.engine, folder) == 1
    kept.clear()
    assert without_database(snapshot(tmp_path)) == decoys


@pytest.mark.parametrize("name", ["thesis.v2.tex", f"{KEY}.1.txt", ".git", KEY, f"{KEY}.1.1.1"])
def test_a_folder_with_anything_else_is_refused_and_left(name: str, engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / name).write_text("mine")
    (folder / f"{OTHER}.1.1").write_text("of a run")
    before = snapshot(tmp_path / "mine")
    for look in (lambda: claim(engine, folder), lambda: refuse_strangers(folder)):
        with pytest.raises(BadInput) as refused:
            look()
        assert str(refused.value) == (
            f"{folder}: expected a new or an empty folder for checkpoints, got one that holds {name}; it was left as it is: give "
            f"another, such as `--checkpoints {folder}/checkpoints`"
        )
    assert sweep(engine, folder) == 0
    assert snapshot(tmp_path / "mine") == before


def test_links_folders_and_pipes_of_our_form_are_strange_too(engine: Engine, tmp_path: Path, outside: Path) -> None:
    for number, make in enumerate((
        lambda path: path.symlink_to(outside), lambda path: path.mkdir(), os.mkfifo,
    )):  # fmt: skip
        folder = tmp_path / f"mine{number}"
        folder.mkdir()
        make(folder / f"{OTHER}.1.1")
        with pytest.raises(BadInput, match="expected a new or an empty folder for checkpoints"):
            claim(engine, folder)


def test_a_folder_that_was_there_empty_stays(sample: Sample, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "lost+found").mkdir()  # in the root of a file system
    folder.chmod(0o755)
    before = snapshot(tmp_path / "mine")
    kept = kept_by(sample, folder)
    kept.save(1, b"one")
    assert names(folder) == [MARK, f"{KEY}.1.1", "lost+found"]
    kept.forget()
    stop(kept)
    sweep(kept.engine, folder)
    assert (snapshot(folder), mode(folder)) == (before, 0o755)


def test_a_folder_of_an_older_version_is_adopted_and_what_nobody_knows_is_left(sample: Sample, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    enqueue_cell(sample.engine, sample.trial_id, [0, 1])
    cell = claim_cell(sample.engine, sample.study_id, "w")
    assert cell is not None
    kept = Checkpoints(sample.engine, folder, KEY, cell)
    folder.mkdir()
    kept.save(1, b"one")
    (folder / f"{OTHER}.1.1").write_bytes(b"another's")
    (folder / f"{KEY}.2.77.tmp").write_bytes(b"half")
    news = claim(sample.engine, folder)
    assert news == f"{folder}: 1 files of unknown checkpoints were there before; they are left"
    assert claim(sample.engine, folder) is None
    assert list(kept.load()) == [b"one"]
    stop(kept)
    assert sweep(sample.engine, folder) == 1
    assert names(folder) == sorted([MARK, f"{OTHER}.1.1", f"{KEY}.1.1"])
    kept.clear()
    sweep(sample.engine, folder)
    assert names(folder) == [MARK, f"{OTHER}.1.1"]


@pytest.mark.sqlite
def test_databases_share_a_folder_and_touch_nothing_of_each_other(
    sample: Sample, another: Callable[[str], Sample], tmp_path: Path
) -> None:
    """The same study in two databases: the same keys, epochs and tokens."""
    folder = tmp_path / "shared"
    first, second = kept_by(sample, folder), kept_by(another(str(tmp_path / "other.db")), folder)
    first.save(1, b"of the first")
    second.save(1, b"of the second")
    news = claim(second.engine, folder)
    inner = own_place(second.engine, folder)
    assert (
        news
        == f"{folder} has the checkpoints of another database, {tmp_path / 'results.db'}; this one's are in {inner}"
    )
    assert (inner.parent, names(inner)) == (folder, [MARK, f"{KEY}.1.1"])
    assert (list(first.load()), list(second.load())) == ([b"of the first"], [b"of the second"])
    before = snapshot(inner)
    (folder / f"{OTHER}.1.1").write_bytes(b"the first's")
    stop(first)
    assert sweep(first.engine, folder) == 1
    first.clear()
    sweep(first.engine, folder)
    assert snapshot(inner) == before
    first_again = snapshot(folder)
    (inner / f"{OTHER}.1.1").write_bytes(b"the second's")
    stop(second)
    assert sweep(second.engine, folder) == 1
    assert snapshot(folder) == first_again
    second.clear()
    sweep(second.engine, folder)
    assert names(folder) == [MARK]
    refuse_strangers(folder)


@pytest.mark.sqlite
def test_a_copy_is_another_database_and_one_that_was_moved_is_the_same(
    kept: Checkpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.save(1, b"one")
    stop(kept)
    kept.engine.dispose()
    for name in ("results.db", "results.db-wal"):
        if (tmp_path / name).exists():
            shutil.copyfile(tmp_path / name, tmp_path / name.replace("results", "copy"))
    copied = open_store(str(tmp_path / "copy.db"), create=True)
    before = snapshot(kept.folder)
    assert "has the checkpoints of another database" in str(claim(copied, kept.folder))
    (kept.folder / f"{OTHER}.1.1").write_bytes(b"the original's")
    assert sweep(copied, kept.folder) == 0
    there = replace(kept, engine=copied)
    assert list(there.load()) == [b"one"]  # what its rows tell of is read where it is
    there.clear()
    assert snapshot(kept.folder) == before | {f"{OTHER}.1.1": ("file", b"the original's")}
    copied.dispose()
    for path in tmp_path.glob("results.db*"):
        path.rename(tmp_path / path.name.replace("results", "moved"))
    moved = open_store(str(tmp_path / "moved.db"), create=True)
    with monkeypatch.context() as elsewhere:  # on another machine nobody knows whether it was moved
        be(elsewhere, "elsewhere", tmp_path)
        assert "has the checkpoints of another database" in str(claim(moved, kept.folder))
    assert claim(moved, kept.folder) is None
    mark = read_mark(kept.folder)
    assert mark is not None
    assert (mark.of.at, mark.made) == (str(tmp_path / "moved.db"), True)
    assert sweep(moved, kept.folder) == 1
    moved.dispose()


def be(monkeypatch: pytest.MonkeyPatch, machine: str, tmp_path: Path, boot: str = "first") -> None:
    """From now on this is another machine, or the same one started anew."""
    for name, number in (("machine", machine), ("boot", f"{machine} {boot}")):
        (tmp_path / f"{name}-id").write_text(number)
    monkeypatch.setattr("resbench.store.checkpoints.mark.node", lambda: f"{machine}.host")
    monkeypatch.setattr("resbench.store.checkpoints.mark._MACHINE", tmp_path / "machine-id")
    monkeypatch.setattr("resbench.store.checkpoints.mark._BOOT", tmp_path / "boot-id")


def put_away(tmp_path: Path, machine: str) -> None:
    """The disc of a machine is no longer this one's."""
    (tmp_path / machine).mkdir(exist_ok=True)
    for path in tmp_path.glob("results.db*"):
        path.rename(tmp_path / machine / path.name)


def take_out(tmp_path: Path, machine: str) -> Engine:
    for path in (tmp_path / machine).iterdir():
        path.rename(tmp_path / path.name)
    return open_store(str(tmp_path / "results.db"), create=True)


@pytest.mark.sqlite
def test_a_copy_at_the_same_place_on_another_machine_is_another_database(
    sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are gone on with, in turns, and share a folder: neither removes what the other needs."""
    be(monkeypatch, "one", tmp_path)
    kept = kept_by(sample, tmp_path / "shared")
    kept.save(1, b"before the copy")
    stop(kept)
    kept.engine.dispose()
    put_away(tmp_path, "one")
    shutil.copytree(tmp_path / "one", tmp_path / "two")

    be(monkeypatch, "two", tmp_path)
    copy = take_out(tmp_path, "two")
    (kept.folder / f"{OTHER}.9.1").write_bytes(b"under way on the first")
    before = snapshot(kept.folder)
    news = claim(copy, kept.folder)
    assert news is not None
    assert f"has the checkpoints of another database, {tmp_path / 'results.db'}; this one's are in " in news
    assert "came here from one.host" in news
    assert news.endswith(f"remove {kept.folder / MARK}: then all there is this one's")
    assert sweep(copy, kept.folder) == 0
    there = replace(kept, engine=copy)
    assert list(there.load()) == [b"before the copy"]
    assert snapshot(kept.folder) == before
    (cell,) = [claim_cell(copy, sample.study_id, "w2")]
    assert cell is not None
    there = replace(there, cell=cell)
    there.save(2, b"of the copy")
    inner = own_place(copy, kept.folder)
    assert (inner.parent, names(inner)) == (kept.folder, [MARK, f"{KEY}.2.{cell.token}"])
    assert list(there.load()) == [b"of the copy", b"before the copy"]
    stop(there)
    copy.dispose()
    put_away(tmp_path, "two")

    be(monkeypatch, "one", tmp_path)
    first = take_out(tmp_path, "one")
    assert claim(first, kept.folder) is None
    assert sweep(first, kept.folder) == 1  # its own stray
    assert names(inner) == [MARK, f"{KEY}.2.{cell.token}"]
    first.dispose()
    put_away(tmp_path, "one")

    be(monkeypatch, "two", tmp_path)
    copy = take_out(tmp_path, "two")
    (kept.folder / MARK).unlink()  # as it was said: the first is gone
    assert claim(copy, kept.folder) is None
    there = replace(there, engine=copy)
    assert list(there.load()) == [b"of the copy", b"before the copy"]
    there.clear()
    with writing(copy) as connection:
        connection.execute(rb_checkpoint.delete())
    assert sweep(copy, kept.folder) == 0
    assert names(kept.folder) == []
    copy.dispose()


@pytest.mark.sqlite
def test_a_file_is_the_same_in_every_container_of_a_running_system(
    kept: Checkpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container, or a laptop in another network, has another host name each time."""
    be(monkeypatch, "one", tmp_path)
    claim(kept.engine, kept.folder)
    kept.save(1, b"one")
    monkeypatch.setattr("resbench.store.checkpoints.mark.node", lambda: "another")
    (kept.folder / f"{OTHER}.1.1").write_bytes(b"its own")
    assert claim(kept.engine, kept.folder) is None
    mark = read_mark(kept.folder)
    assert mark is not None
    assert mark.host.startswith("another ")
    stop(kept)
    assert sweep(kept.engine, kept.folder) == 1


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("machine", "number", "same"),
    [("one", "", True), ("one", "7", False), ("two", "", False), ("two", "7", False)],
)
def test_after_a_start_it_is_the_same_on_the_same_machine_with_the_same_number(
    machine: str, number: str, same: bool, kept: Checkpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number of a disc may be another then; a file with another number was put there, by whomever."""
    be(monkeypatch, "one", tmp_path)
    kept.save(1, b"one")
    mark, text_there = read_mark(kept.folder), (kept.folder / MARK).read_text()
    assert mark is not None
    given = f"file: 9999:{number or mark.of.number}"
    (kept.folder / MARK).write_text(text_there.replace(f"file: {mark.of.file}", given))
    be(monkeypatch, machine, tmp_path, boot="second")
    assert (claim(kept.engine, kept.folder) is None) == same
    assert list(kept.load()) == [b"one"]
    (kept.folder / f"{OTHER}.1.1").write_bytes(b"doubtful")
    stop(kept)
    assert sweep(kept.engine, kept.folder) == same


@pytest.mark.sqlite
def test_where_its_disc_may_be_away_a_file_was_not_moved(
    kept: Checkpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    be(monkeypatch, "one", tmp_path)
    kept.save(1, b"one")
    text_there = (kept.folder / MARK).read_text()
    for at, same in (("/no/such/disc/results.db", False), (str(tmp_path / "gone.db"), True)):
        moved = text_there.replace(str(tmp_path / "results.db"), at)
        (kept.folder / MARK).write_text(re.sub("file: .*", "file: 9:9", moved))
        assert (claim(kept.engine, kept.folder) is None) == same


@pytest.mark.parametrize("allowed", [True, False])
def test_a_dump_put_back_elsewhere_is_another_database(
    allowed: bool, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also on the same server; and where the role may not ask for the server's number."""
    engines = []
    for url in (server.new(), server.new()):
        if not allowed:
            server.run("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC", database=name_in(url))
        engines.append(open_store(url, create=True))
        assert claim(engines[-1], tmp_path / "kept") is None
    first, second = engines
    with writing(second) as connection:
        connection.execute(rb_lease.update().values(holder=drawn(first)))
    own_place(first, tmp_path / "kept", make=True)
    assert "has the checkpoints of another database" in str(claim(second, tmp_path / "kept"))
    mark = read_mark(tmp_path / "kept")
    be(monkeypatch, "elsewhere", tmp_path)  # every machine may work for a server's database
    assert claim(first, tmp_path / "kept") is None
    assert read_mark(tmp_path / "kept") == mark
    assert own_place(second, tmp_path / "kept").parent == tmp_path / "kept"
    for engine in engines:
        engine.dispose()


def drawn(engine: Engine) -> str:
    own = identity(engine)
    assert own is not None
    return own.drawn


def test_an_empty_folder_of_a_database_that_claimed_none_is_left(sample: Sample, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    enqueue_cell(sample.engine, sample.trial_id, [0, 1])
    cell = claim_cell(sample.engine, sample.study_id, "w")
    assert cell is not None
    Checkpoints(sample.engine, folder, KEY, cell).clear()
    assert folder.is_dir()


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe", b"database: x\nat: y\n", b"at: []\n", b"database: x\nat: " + b"[" * 5000, bytes(1_000_001)],
)
def test_a_mark_that_cannot_be_read_is_nobodys(content: bytes, kept: Checkpoints) -> None:
    kept.folder.mkdir()
    (kept.folder / MARK).write_bytes(content)
    (kept.folder / f"{OTHER}.1.1").write_bytes(b"somebody's")
    before = snapshot(kept.folder)
    kept.save(1, b"one")
    assert list(kept.load()) == [b"one"]
    stop(kept)
    kept.clear()
    sweep(kept.engine, kept.folder)
    assert snapshot(kept.folder) == before


@pytest.mark.parametrize("kind", ["link", "dangling", "folder", "pipe"])
def test_a_mark_that_is_no_file_is_nobodys(kind: str, kept: Checkpoints, outside: Path) -> None:
    kept.folder.mkdir()
    make: dict[str, Callable[[Path], None]] = {
        "link": lambda path: path.symlink_to(outside), "dangling": lambda path: path.symlink_to("nowhere"),
        "folder": Path.mkdir, "pipe": os.mkfifo,
    }  # fmt: skip
    make[kind](kept.folder / MARK)
    before = snapshot(kept.folder)
    kept.save(1, b"one")
    assert list(kept.load()) == [b"one"]
    kept.forget()
    stop(kept)
    sweep(kept.engine, kept.folder)
    assert snapshot(kept.folder) == before
    assert outside.read_bytes() == b"elsewhere"


def test_what_takes_the_name_of_a_checkpoint_is_left(kept: Checkpoints, outside: Path) -> None:
    kept.save(1, b"one")
    (kept.folder / f"{KEY}.2.1").symlink_to(outside)
    (kept.folder / f"{KEY}.3.1").mkdir()
    for epoch in (2, 3):
        with pytest.raises(StorageError, match="no checkpoint could be written: "):
            kept.save(epoch, b"new")
    assert names(kept.folder) == [MARK, *(f"{KEY}.{epoch}.1" for epoch in (1, 2, 3))]
    assert (outside.read_bytes(), list(kept.load())) == (b"elsewhere", [b"one"])


@pytest.mark.sqlite
@pytest.mark.parametrize(
    "said",
    [
        "NULL", "7", "1.5", "x'00ff'", "''", "'.'", "'..'", "'../outside'", "'/dev/null'", "'folder'", "'pipe'", "'link'",
        f"'{OTHER}.5.1'", f"'{OTHER}.6.1'", f"'{OTHER}.7.1'", f"'kept/{KEY}.1.1'", "char(0)", "'a' || char(10) || 'b'",
    ],
)  # fmt: skip
@pytest.mark.parametrize("column", ["path", "sha256"])
def test_a_row_that_says_anything_is_passed_over(column: str, said: str, kept: Checkpoints, outside: Path) -> None:
    """Whatever stands there, no traceback: the other checkpoint serves, and what the row names is neither read nor removed."""
    for epoch in (1, 2, 3):
        kept.save(epoch, b"%d" % epoch)
    (kept.folder / "folder").mkdir()
    os.mkfifo(kept.folder / "pipe")
    (kept.folder / "link").symlink_to(outside)
    (kept.folder / f"{OTHER}.5.1").symlink_to(outside)
    (kept.folder / f"{OTHER}.6.1").mkdir()
    os.mkfifo(kept.folder / f"{OTHER}.7.1")
    allowing_null(kept.engine)
    with writing(kept.engine) as connection:
        connection.execute(text(f"UPDATE rb_checkpoint SET {column} = {said} WHERE epoch = 3"))
    decoys = {name: what for name, what in snapshot(kept.folder).items() if not name.startswith(KEY)}
    assert list(kept.load()) == [b"2"]
    kept.save(4, b"4")
    kept.save(5, b"5")
    kept.forget()
    stop(kept)
    sweep(kept.engine, kept.folder)
    assert snapshot(kept.folder) == decoys
    assert outside.read_bytes() == b"elsewhere"


def allowing_null(engine: Engine) -> None:
    """The same table as somebody might make it, without the constraints."""
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE rb_copy AS SELECT * FROM rb_checkpoint"))
        connection.execute(text("DROP TABLE rb_checkpoint"))
        connection.execute(
            text("CREATE TABLE rb_checkpoint (id INTEGER PRIMARY KEY, key, epoch, path, sha256, created_at)")
        )
        connection.execute(text("INSERT INTO rb_checkpoint SELECT * FROM rb_copy"))
        connection.execute(text("DROP TABLE rb_copy"))


def test_a_file_that_is_too_large_is_not_read(kept: Checkpoints, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.save(1, b"small")
    kept.save(2, b"x" * 100)
    monkeypatch.setattr(checkpoint_files, "LARGEST", 99)
    assert list(kept.load()) == [b"small"]


@pytest.mark.sqlite
def test_plans_that_say_anything_stop_neither_a_search_nor_a_sweep(sample: Sample, tmp_path: Path) -> None:
    run = sample.add(sample.record(0, status="stopped"))
    kept = kept_by(sample, tmp_path / "kept")
    kept.save(1, b"one")
    for plan in (
        "",
        "[]",
        "7",
        "null",
        "{}",
        '{"checkpoint": null}',
        '{"checkpoint": ["a"]}',
        f'{{"checkpoint": "{KEY}"}}',
    ):
        with writing(sample.engine) as connection:
            connection.execute(text("DELETE FROM rb_run_plan"))
            connection.execute(
                text("INSERT INTO rb_run_plan (run_id, plan) VALUES (:run, :plan)"), {"run": run, "plan": plan}
            )
        forget_stopped(sample.engine, sample.study_id)
        with reading(sample.engine) as connection:
            left = connection.execute(select(rb_checkpoint.c.id)).all()
        assert (left == []) == (KEY in plan)
    stop(kept)
    assert sweep(sample.engine, kept.folder) == 1
    assert not kept.folder.exists()


def test_nothing_goes_while_a_cell_runs(kept: Checkpoints) -> None:
    kept.save(1, b"one")
    (kept.folder / f"{OTHER}.1.1").write_bytes(b"stray")
    before = snapshot(kept.folder)
    assert sweep(kept.engine, kept.folder) == 0
    assert snapshot(kept.folder) == before
    with writing(kept.engine) as connection:
        connection.execute(rb_cell.update().values(status="queued"))
    assert sweep(kept.engine, kept.folder) == 1


def test_a_folder_in_which_somebody_writes_just_now_is_not_taken_away(
    kept: Checkpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.save(1, b"one")
    kept.forget()
    stop(kept)
    moved = Path.rename

    def rename(self: Path, target: Path) -> Path:
        if self == kept.folder:
            (self / f"{KEY}.7.2.1.tmp").write_bytes(b"being written")
        return moved(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    sweep(kept.engine, kept.folder)
    assert names(kept.folder) == [MARK, f"{KEY}.7.2.1.tmp"]


def test_a_folder_that_went_in_between_is_made_again_with_its_mark(kept: Checkpoints) -> None:
    kept.save(1, b"one")
    shutil.rmtree(kept.folder)
    kept.save(2, b"two")
    assert names(kept.folder) == [MARK, f"{KEY}.2.1"]
    assert list(kept.load()) == [b"two"]
