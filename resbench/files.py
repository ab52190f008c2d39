"""Files are written atomically: they are complete or absent, and never replace another file by mistake.

A file is written under a random name in the same folder, created exclusively, synced, and only then moved into place: by a
hard link, which fails if another process was faster, or with `force` by renaming. An existing file is refused without `force`,
unless it holds the same bytes.
A link, a folder or a device is never replaced; a terminal or a pipe, such as /dev/stdout, is written to.
On a file system without hard links an empty file takes the name first: a kill before the next step leaves that behind.
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
)  # the file system has no hard links
_DESCRIPTOR = re.compile(r"/(?:dev|proc/self)/fd/(\d{1,9})", re.ASCII)
_STREAMS = {"/dev/stdout": 1, "/dev/stderr": 2}
SQLITE_HEADER = b"SQLite format 3\0"


def write(path: Path, data: bytes, *, force: bool = False, private: bool = False) -> None:
    """Write a file, or replace an existing one with `force`; a file that holds the same bytes is not touched.

    `private`: as in `placed`.

    Raises:
        BadInput: where no file can be, or something is that may not be replaced.
        StorageError: where the file cannot be written; what was there is as it was.
    """
    write_all([(path, data)], force=force, private=private)


def write_all(files: Sequence[tuple[Path, bytes]], *, force: bool = False, private: bool = False) -> None:
    """Write several files; all are checked before the first is written. Raises as `write` does."""
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
    """Raise BadInput where `write` would, as far as that can be known without the bytes."""
    if _is_stream(path):
        return
    mode = _mode(path)
    if mode is not None and stat.S_ISDIR(mode):
        raise BadInput(f"{path}: expected a file, got a folder")
    if not path.parent.is_dir():
        raise BadInput(f"{path}: there is no folder {path.parent}")
    if mode is None:
        return
    if stat.S_ISLNK(mode):
        target = path.readlink()
        if path.exists():
            raise BadInput(f"{path}: is a link to {target} and was left as it is; give the name of a regular file")
        raise BadInput(f"{path}: is a link to {target}, which does not exist, and was left as it is; give another name")
    if not stat.S_ISREG(mode):
        raise BadInput(f"{path}: is not a regular file and was left as it is; give another name")
    if not force:
        raise BadInput(refusal(path))


def refusal(path: Path) -> str:
    """Return the message about an existing file that may not be replaced."""
    return f"{path}: exists already and was left as it is; give another name, or --force replaces it"


@contextmanager
def placed(path: Path, *, force: bool = False, private: bool = False, beside: Iterable[str] = ()) -> Iterator[Path]:
    """Yield an empty file to fill, which moves into place when the block ends. If the block raises, the file is removed
    and the exception passes unchanged: it may be about another file.

    Args:
        path: where the file goes.
        force: whether an existing file is replaced.
        private: whether only its owner may read it (or whom RESBENCH_UMASK allows); else it is as every new file.
        beside: suffixes of temporary files that filling it may leave beside it; they are removed.

    Raises:
        BadInput: where no file can be, or something is that may not be replaced.
        StorageError: where the file cannot be written.
    """
    check(path, force=force)
    if _is_stream(path):
        raise BadInput(f"{path}: expected a regular file; give the name of one")
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
    """Return the descriptor of a new file. Raises FileExistsError if anything has the name, even a link."""
    mode = private_mode() if private else None
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags, 0o666 if mode is None else 0o600)
    if mode is not None:
        with suppress(OSError):  # the file system has no modes
            path.chmod(mode)
    return descriptor


def make_private(path: Path) -> None:
    """Create an empty file that only its owner may read, for SQLite to open; an existing file is not changed."""
    with suppress(OSError, RuntimeError):  # it exists; or it cannot be created, which SQLite reports
        os.close(open_new(path.resolve(), private=True))


def private_mode(*, folder: bool = False) -> int:
    """Return the mode of new files with results: only their owner may read them, unless RESBENCH_UMASK says otherwise."""
    text = os.environ.get("RESBENCH_UMASK") or _PRIVATE_UMASK
    if re.fullmatch("0*[0-7]{1,2}", text) is None:
        raise BadInput(
            f"RESBENCH_UMASK: expected octal digits for the group and for others, such as 077, 027 or 022, got {text!r}"
        )
    return (0o777 if folder else 0o666) & ~int(text, 8)


def is_filled(path: Path) -> bool:
    """Return whether a file exists and is not empty; a name that no file can have counts as absent."""
    try:
        return path.stat().st_size > 0
    except (OSError, ValueError):
        return False


def _holds(path: Path, data: bytes) -> bool:
    """Return whether it is a file with exactly these bytes."""
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
    """Return whether it is a terminal, a pipe or /dev/null, where writing replaces nothing."""
    if _descriptor(path) is not None:
        return True
    mode = _mode(path)
    return mode is not None and (stat.S_ISCHR(mode) or stat.S_ISFIFO(mode))


def _descriptor(path: Path) -> int | None:
    """Return the open descriptor that the name refers to; opening it again might truncate it."""
    found = _DESCRIPTOR.fullmatch(str(path))
    return int(found[1]) if found else _STREAMS.get(str(path))


def _pour(path: Path, data: bytes) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    number = _descriptor(path)
    with _explained(path), os.fdopen(os.open(path, os.O_WRONLY) if number is None else os.dup(number), "wb") as file:
        file.write(data)


def _cut(name: str) -> str:
    """Shorten a file's name, which may have at most 255 bytes."""
    return os.fsdecode(os.fsencode(name)[:200])


def _put(rough: Path, path: Path, *, force: bool) -> None:
    if force:
        check(path, force=True)  # it may have become a link
        with suppress(OSError):  # the new file keeps the mode of the old one
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
    """Flush a file, or the entries of a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
