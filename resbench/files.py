"""Bytes, or a function that fills a file -> a file that is whole or not there, and that took the place of nothing by mistake.

Written under a random name in the same folder, made exclusively, synced, and only then put in its place: by a hard link, which
fails where somebody was faster, or with `force` by renaming. What is there already is refused without `force`, unless it holds
the same bytes. A link, a folder or a device is never replaced; a terminal or a pipe, such as /dev/stdout, is written to.
On a file system without hard links the name is taken first, by an empty file: a kill before the next step leaves that behind.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex

from resbench.errors import BadInput, StorageError

_PRIVATE_UMASK = "077"
_NO_LINKS = (
    errno.EPERM,
    errno.EACCES,
    errno.ENOTSUP,
    errno.EOPNOTSUPP,
    errno.ENOSYS,
    errno.EMLINK,
)  # no hard links there
_DESCRIPTOR = re.compile(r"/(?:dev|proc/self)/fd/(\d{1,9})", re.ASCII)
_STREAMS = {"/dev/stdout": 1, "/dev/stderr": 2}
SQLITE_HEADER = b"SQLite format 3\0"


def write(path: Path, data: bytes, *, force: bool = False, private: bool = False) -> None:
    """Write a file, or replace one that is there if `force` says so; the same bytes are left as they are.

    `private`: as `placed` has it.

    Raises:
        BadInput: where no file can be, or something is that may not be replaced.
        StorageError: where the file cannot be written; what was there is as it was.
    """
    write_all([(path, data)], force=force, private=private)


def write_all(files: Sequence[tuple[Path, bytes]], *, force: bool = False, private: bool = False) -> None:
    """Write several; each is checked before the first is written. Raises as `write` does."""
    wanted = [(path, data) for path, data in files if not _holds(path, data)]
    for path, _ in wanted:
        check(path, force=force)
        if not _is_stream(path) and _is_database(path):
            raise BadInput(f"{path}: is a database and was left as it is; give another name")
    for path, data in wanted:
        if _is_stream(path):
            _pour(path, data)
        else:
            with placed(path, force=force, private=private) as rough, _explained(path):
                rough.write_bytes(data)


def check(path: Path, *, force: bool = False) -> None:
    """Raise BadInput where `write` would, as far as that can be known before the bytes are."""
    if _is_stream(path):
        return
    mode = _mode(path)
    if mode is not None and stat.S_ISDIR(mode):
        raise BadInput(f"{path}: this is a folder; a file is needed")
    if not path.parent.is_dir():
        raise BadInput(f"{path}: there is no folder {path.parent}")
    if mode is None:
        return
    if stat.S_ISLNK(mode):
        target = path.readlink()
        if path.exists():
            raise BadInput(f"{path}: is a link to {target} and was left as it is; give the name of a file itself")
        raise BadInput(f"{path}: is a link to {target}, which does not exist, and was left as it is; give another name")
    if not stat.S_ISREG(mode):
        raise BadInput(f"{path}: is no ordinary file and was left as it is; give another name")
    if not force:
        raise BadInput(refusal(path))


def refusal(path: Path) -> str:
    """Return what is said of a file that is in the way."""
    return f"{path}: exists already and was left as it is; give another name, or --force replaces it"


@contextmanager
def placed(path: Path, *, force: bool = False, private: bool = False, beside: Iterable[str] = ()) -> Iterator[Path]:
    """An empty file to fill in the block, which takes its place at the end; where the block raises, nothing is left of it,
    and what it raised is passed on as it is: it may be about another file.

    Args:
        path: the place.
        force: replace a file that is there.
        private: readable by its owner alone, or as RESBENCH_UMASK says; else as every new file of this process.
        beside: endings of files that filling it may leave beside it, to be removed.

    Raises:
        BadInput: where no file can be, or something is that may not be replaced.
        StorageError: where the file cannot be written.
    """
    check(path, force=force)
    if _is_stream(path):
        raise BadInput(f"{path}: is no ordinary file; give the name of one")
    rough = path.with_name(f".{_cut(path.name)}.{token_hex(8)}.part")
    with _explained(path):
        os.close(open_new(rough, private=private))
    try:
        yield rough
        with _explained(path):
            sync(rough)
            _put(rough, path, force=force)
        with suppress(OSError):  # no folder can be synced on Windows
            sync(path.parent)
    finally:
        for end in ("", *beside):
            with suppress(OSError):
                rough.with_name(rough.name + end).unlink()


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError:
        raise BadInput(refusal(path)) from None
    except BrokenPipeError:  # `| head`
        raise
    except OSError as error:
        raise StorageError(f"{path}: cannot be written: {error.strerror or error}") from None


def open_new(path: Path, *, private: bool = False) -> int:
    """Return the descriptor of a new file. Raises FileExistsError where something has the name, a link too."""
    mode = private_mode() if private else None
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags, 0o666 if mode is None else 0o600)
    if mode is not None:
        with suppress(OSError):  # a file system that knows no modes
            path.chmod(mode)
    return descriptor


def make_private(path: Path) -> None:
    """An empty file that its owner alone may read, where nothing is yet, so that SQLite finds it; nothing else is changed."""
    with suppress(OSError, RuntimeError):  # there already; or it cannot be made, which SQLite says
        os.close(open_new(path.resolve(), private=True))


def private_mode(*, folder: bool = False) -> int:
    """Return the mode of what is new and holds results: its owner's alone, unless RESBENCH_UMASK says otherwise."""
    text = os.environ.get("RESBENCH_UMASK") or _PRIVATE_UMASK
    if re.fullmatch("0*[0-7]{1,2}", text) is None:
        raise BadInput(
            f"RESBENCH_UMASK: expected octal digits for the group and for others, such as 077, 027 or 022, got {text!r}"
        )
    return (0o777 if folder else 0o666) & ~int(text, 8)


def is_filled(path: Path) -> bool:
    """Return whether there is anything that has bytes; of a name that none can have there is nothing."""
    try:
        return path.stat().st_size > 0
    except (OSError, ValueError):
        return False


def _holds(path: Path, data: bytes) -> bool:
    """Return whether it is a file of just these bytes."""
    try:
        return stat.S_ISREG(path.lstat().st_mode) and path.stat().st_size == len(data) and path.read_bytes() == data
    except (OSError, ValueError):
        return False


def _mode(path: Path) -> int | None:
    try:
        return path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise BadInput(f"{path}: cannot be written: {getattr(error, 'strerror', None) or error}") from None


def _is_database(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(SQLITE_HEADER)) == SQLITE_HEADER
    except OSError:
        return False


def _is_stream(path: Path) -> bool:
    """Return a terminal, a pipe, /dev/null: what is written to it replaces nothing."""
    if _descriptor(path) is not None:
        return True
    mode = _mode(path)
    return mode is not None and (stat.S_ISCHR(mode) or stat.S_ISFIFO(mode))


def _descriptor(path: Path) -> int | None:
    """Return the open file that the name stands for: opened again, what it holds already might be cut off."""
    found = _DESCRIPTOR.fullmatch(str(path))
    return int(found[1]) if found else _STREAMS.get(str(path))


def _pour(path: Path, data: bytes) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    number = _descriptor(path)
    with _explained(path), os.fdopen(os.open(path, os.O_WRONLY) if number is None else os.dup(number), "wb") as file:
        file.write(data)


def _cut(name: str) -> str:
    """A file's name is at most 255 bytes."""
    return os.fsdecode(os.fsencode(name)[:200])


def _put(rough: Path, path: Path, *, force: bool) -> None:
    if force:
        check(path, force=True)  # it may be a link by now
        with suppress(OSError):  # who could not read the one that was there cannot read this one
            rough.chmod(stat.S_IMODE(path.stat().st_mode))
        rough.replace(path)
        return
    try:
        os.link(rough, path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        os.close(open_new(path))
        try:
            rough.replace(path)
        except OSError:
            path.unlink()
            raise


def sync(path: Path) -> None:
    """Bring a file, or the names in a folder, to the disc."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
