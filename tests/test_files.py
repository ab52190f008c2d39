"""A file is whole or not there, and takes the place of nothing that nobody said; what lies beside it survives to the byte."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from command_line import say
from decoys import place, snapshot

from resbench import files
from resbench.errors import BadInput, StorageError
from resbench.files import check, make_private, open_new, placed, private_mode, write, write_all
from resbench.language.library.lookup import at_home


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of decoys."""
    (tmp_path / "outside").write_bytes(b"elsewhere")
    place(tmp_path / "here", tmp_path / "outside")
    return tmp_path / "here"


def test_a_new_file_among_decoys(folder: Path) -> None:
    before = snapshot(folder.parent)
    write(folder / "x.svg", b"new")
    assert snapshot(folder.parent) == before | {"here/x.svg": ("file", b"new")}
    write(folder / "x.svg", b"newer", force=True)
    assert snapshot(folder.parent) == before | {"here/x.svg": ("file", b"newer")}
    plain = folder.parent / "plain"
    plain.touch()
    assert mode(folder / "x.svg") == mode(plain)


def test_a_file_that_is_there_is_refused_unless_it_is_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a.svg"
    path.write_bytes(b"mine")
    with pytest.raises(BadInput) as refused:
        write(path, b"new")
    assert (
        str(refused.value) == f"{path}: exists already and was left as it is; give another name, or --force replaces it"
    )
    assert path.read_bytes() == b"mine"
    os.utime(path, ns=(1, 1))
    for force in (False, True):
        write(path, b"mine", force=force)
        assert path.stat().st_mtime_ns == 1


def test_what_replaces_a_file_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_bytes(b"secret")
    path.chmod(0o600)
    write(path, b"new secret", force=True)
    assert (path.read_bytes(), mode(path)) == (b"new secret", 0o600)


@pytest.mark.parametrize("force", [False, True])
def test_a_link_is_never_written_through_nor_replaced(force: bool, folder: Path) -> None:
    (folder / "link.svg").symlink_to(folder.parent / "outside")
    (folder / "dangling.svg").symlink_to("nowhere.svg")
    (folder / "loop.svg").symlink_to("loop.svg")
    before = snapshot(folder.parent)
    for name, words in (
        (
            "link.svg",
            f"is a link to {folder.parent / 'outside'} and was left as it is; give the name of a regular file",
        ),
        ("dangling.svg", "is a link to nowhere.svg, which does not exist, and was left as it is; give another name"),
        ("loop.svg", "is a link to loop.svg, which does not exist"),
    ):
        with pytest.raises(BadInput) as refused:
            write(folder / name, b"elsewhere", force=force)  # the same bytes as in the file it leads to
        assert words in str(refused.value)
    assert snapshot(folder.parent) == before


@pytest.mark.parametrize("force", [False, True])
def test_where_no_file_can_be(force: bool, folder: Path) -> None:
    before = snapshot(folder.parent)
    for path, words in (
        (folder, "expected a file, got a folder"),
        (folder / "gone" / "a.svg", f"there is no folder {folder / 'gone'}"),
        (folder / "README" / "a.svg", f"there is no folder {folder / 'README'}"),
        (folder / ("x" * 256), "cannot be written: File name too long"),
        (folder / "a\0b", "cannot be written: "),
    ):
        for attempt in (lambda p: write(p, b"", force=force), lambda p: check(p, force=force)):
            with pytest.raises(BadInput, match=words):
                attempt(path)
    assert snapshot(folder.parent) == before


def test_a_name_of_255_bytes(tmp_path: Path) -> None:
    path = tmp_path / ("é" * 127 + "x")
    write(path, b"new")
    assert snapshot(tmp_path) == {path.name: ("file", b"new")}


def test_a_database_is_not_replaced_by_something_else(tmp_path: Path) -> None:
    path = tmp_path / "results.db"
    path.write_bytes(b"SQLite format 3\0 and all the rest")
    for force in (False, True):
        with pytest.raises(BadInput, match="exists already" if not force else "is a database and was left as it is"):
            write(path, b"<html>", force=force)
    assert path.read_bytes().startswith(b"SQLite format 3\0 and")


def test_several_are_all_checked_before_the_first_is_written(tmp_path: Path) -> None:
    (tmp_path / "c.svg").write_bytes(b"mine")
    (tmp_path / "b.svg").write_bytes(b"b")
    wanted = [(tmp_path / f"{name}.svg", name.encode()) for name in "abc"]
    with pytest.raises(BadInput, match=r"c\.svg: exists already"):
        write_all(wanted)
    assert snapshot(tmp_path) == {"b.svg": ("file", b"b"), "c.svg": ("file", b"mine")}
    write_all(wanted, force=True)
    assert snapshot(tmp_path) == {f"{name}.svg": ("file", name.encode()) for name in "abc"}


def no_links(*_: object, **__: object) -> None:
    raise OSError(errno.EPERM, "Operation not permitted")


@pytest.mark.parametrize("has_links", [True, False])
def test_who_was_faster_wins(has_links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also on a file system without hard links."""
    if not has_links:
        monkeypatch.setattr(os, "link", no_links)
    path = tmp_path / "a.svg"

    def race() -> None:
        with placed(path) as rough:
            rough.write_bytes(b"slow")
            path.write_bytes(b"fast")

    with pytest.raises(BadInput, match="exists already"):
        race()
    assert snapshot(tmp_path) == {"a.svg": ("file", b"fast")}
    write(tmp_path / "b.svg", b"alone")
    assert (tmp_path / "b.svg").read_bytes() == b"alone"


@pytest.mark.parametrize("error", [FileExistsError(errno.EEXIST, "b"), PermissionError("b"), TimeoutError("b")])
def test_what_is_raised_while_a_file_is_filled_is_not_taken_for_a_fault_of_that_file(
    error: OSError, tmp_path: Path
) -> None:
    def fill() -> None:
        with placed(tmp_path / "a.svg") as rough:
            rough.write_bytes(b"half")
            raise error

    with pytest.raises(type(error)) as raised:
        fill()
    assert raised.value is error
    assert snapshot(tmp_path) == {}


def test_a_link_that_appears_in_between_is_not_replaced_by_force(tmp_path: Path) -> None:
    path = tmp_path / "a.svg"

    def race() -> None:
        with placed(path, force=True) as rough:
            rough.write_bytes(b"new")
            path.symlink_to("elsewhere")

    with pytest.raises(BadInput, match="is a link to"):
        race()
    assert snapshot(tmp_path) == {"a.svg": ("link", "elsewhere")}


@pytest.mark.parametrize("has_links", [True, False])
def test_a_file_is_whole_or_as_it_was(has_links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "a.svg", b"old")

    def full(self: Path, data: bytes) -> int:
        written(self, data[:1])
        raise OSError(errno.ENOSPC, "No space left on device")

    def fail(self: Path, target: Path) -> None:
        raise OSError(errno.EIO, "Input/output error")

    written = Path.write_bytes
    if not has_links:
        monkeypatch.setattr(os, "link", no_links)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", full)
        for name, force in (("a.svg", True), ("b.svg", False)):
            with pytest.raises(StorageError, match=rf"{name}: cannot be written: No space left on device"):
                write(tmp_path / name, b"new", force=force)
    monkeypatch.setattr(Path, "replace", fail)
    for name, force in (("a.svg", True), *([] if has_links else [("b.svg", False)])):
        with pytest.raises(StorageError, match=rf"{name}: cannot be written: Input/output error"):
            write(tmp_path / name, b"new", force=force)
    assert snapshot(tmp_path) == {"a.svg": ("file", b"old")}


def test_what_raises_while_it_fills_leaves_nothing_and_no_side_file(folder: Path) -> None:
    before = snapshot(folder.parent)

    def fill() -> None:
        with placed(folder / "x.db", beside=("-journal", "-wal")) as rough:
            rough.with_name(rough.name + "-wal").write_bytes(b"ours")
            _ = 1 / 0

    with pytest.raises(ZeroDivisionError):
        fill()
    assert snapshot(folder.parent) == before


def test_devices_and_pipes_are_written_to_not_replaced(tmp_path: Path) -> None:
    before = Path("/dev/null").stat().st_rdev
    for force in (False, True):
        write(Path("/dev/null"), b"x", force=force)
    assert Path("/dev/null").stat().st_rdev == before
    os.mkfifo(tmp_path / "pipe")
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    write(tmp_path / "pipe", b"through the pipe")
    reader.join()
    assert (got, stat.S_ISFIFO((tmp_path / "pipe").lstat().st_mode)) == ([b"through the pipe"], True)
    with pytest.raises(BadInput, match="expected a regular file"), placed(tmp_path / "pipe"):
        raise AssertionError("no database is written to a pipe")


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_standard_output_is_gone_on_with(name: str, tmp_path: Path) -> None:
    """Opened anew, a file that it was sent to would be cut off, and what `>>` keeps would be lost."""
    code = f"from pathlib import Path; from resbench.files import write; print('a'); write(Path({name!r}), b'b\\n'); print('c')"
    (tmp_path / "log").write_bytes(b"kept\n")
    with (tmp_path / "log").open("ab") as log:
        subprocess.run([sys.executable, "-c", code], stdout=log, check=True)
    assert (tmp_path / "log").read_bytes() == b"kept\na\nb\nc\n"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"a\nb\nc\n"


def test_a_stream_that_is_closed(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"/dev/fd/987654: cannot be written: Bad file descriptor"):
        write(Path("/dev/fd/987654"), b"x")


@pytest.mark.parametrize(
    ("umask", "file", "folder"),
    [(None, 0o600, 0o700), ("022", 0o644, 0o755), ("27", 0o640, 0o750), ("0", 0o666, 0o777)],
)
def test_what_holds_results_is_its_owners_alone(
    umask: str | None, file: int, folder: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RESBENCH_UMASK", raising=False)
    if umask is not None:
        monkeypatch.setenv("RESBENCH_UMASK", umask)
    with placed(tmp_path / "a.db", private=True) as rough:
        assert mode(rough) == file
    os.close(open_new(tmp_path / "b.db", private=True))
    make_private(tmp_path / "c.db")
    assert [mode(tmp_path / f"{name}.db") for name in "abc"] == [file] * 3
    assert (private_mode(), private_mode(folder=True)) == (file, folder)


@pytest.mark.parametrize("umask", ["77x", "0o22", "777", "-1", "089", "1777"])
def test_a_umask_that_is_none(umask: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESBENCH_UMASK", umask)
    with pytest.raises(BadInput, match=f"RESBENCH_UMASK: expected octal digits .* got '{umask}'"):
        private_mode()


def test_a_database_that_is_there_keeps_its_bytes_and_mode(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"rows")
    (tmp_path / "a.db").chmod(0o664)
    (tmp_path / "link.db").symlink_to("a.db")
    (tmp_path / "new.db").symlink_to("made.db")
    for name in ("a.db", "link.db", "new.db"):
        make_private(tmp_path / name)
    make_private(tmp_path / "gone" / "a.db")
    assert (mode(tmp_path / "a.db"), (tmp_path / "a.db").read_bytes()) == (0o664, b"rows")
    assert (mode(tmp_path / "made.db"), (tmp_path / "new.db").is_symlink()) == (0o600, True)


def test_the_name_of_a_part_is_nobody_elses(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made exclusively: a file of just that name is another's, and is left."""
    monkeypatch.setattr(files, "token_hex", lambda _: "0" * 16)
    theirs = folder / f".x.svg.{'0' * 16}.part"
    theirs.write_bytes(b"theirs")
    before = snapshot(folder)
    with pytest.raises(BadInput, match="exists already"):
        write(folder / "x.svg", b"new")
    assert snapshot(folder) == before


@pytest.mark.parametrize("name", ["~nobody-of-this-name/x.db", "~? x.db"])
def test_a_home_that_nobody_has_is_a_name_like_any_other(name: str, tmp_path: Path) -> None:
    assert at_home(name) == Path(name)
    assert at_home("~/x.db") == Path.home() / "x.db"
    said = say(["results", "list", "--db", name], tmp_path)
    assert said.status == 4, said
    assert "no such database" in said.err or "does not exist" in said.err
