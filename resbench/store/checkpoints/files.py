"""Bytes -> a file in the database's own place for checkpoints, and back.  Writes are atomic; the digest shows damage."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from hashlib import file_digest, sha256
from pathlib import Path
from secrets import randbelow
from stat import S_ISREG

from sqlalchemy import Engine

from resbench.errors import StorageError
from resbench.failpoints import Failpoint, reach
from resbench.files import open_new, sync
from resbench.store.checkpoints.mark import is_file
from resbench.store.checkpoints.place import identity, inner_places, leave, own_place, own_places

LARGEST = 2**36  # bytes of a file: a larger one is not ours
_FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def weights_file(digest: object) -> str:
    """Return the name of a file of weights whose sha256 this is."""
    return f"{digest}.safetensors"


def write_kept(engine: Engine, folder: Path, name: str, content: bytes) -> Path:
    """Write a file under a temporary name, sync it and rename it. Raises OSError, with nothing half-written."""
    rough = _begun(engine, folder, name)
    try:
        with rough.open("r+b") as file:
            file.write(content)
            file.flush()
            reach(Failpoint.CHECKPOINT_WRITTEN)
            os.fsync(file.fileno())
        reach(Failpoint.CHECKPOINT_SYNCED)
        path = rough.with_name(name)
        if os.path.lexists(path) and not is_file(path):
            raise FileExistsError(f"{name} is there, and is no file")
        rough.replace(path)
        sync(path.parent)
    except OSError:
        remove_kept(rough)
        raise
    return path


def _begun(engine: Engine, folder: Path, name: str) -> Path:
    """Create an empty temporary file; repeat where another worker, which is done, has just removed the empty folder."""
    for again in reversed(range(10)):
        rough = own_place(engine, folder, make=True) / f"{name}.{randbelow(10**18)}.tmp"
        try:
            os.close(open_new(rough, private=True))
            break
        except FileNotFoundError:
            if not again:
                raise
    return rough


def check_writable(engine: Engine, folder: Path) -> None:
    """Make an empty file in the database's place, and remove it. Raises StorageError where the folder takes none."""
    try:
        remove_kept(_begun(engine, folder, weights_file("0" * 64)))
    except OSError as error:
        raise StorageError(
            f"{folder}: expected a folder for checkpoints that takes files, got {error.strerror or error}; give another by "
            "--checkpoints"
        ) from None
    own = identity(engine)
    for place in reversed(own_places(folder, own)):
        leave(place, own)


def places_of(engine: Engine, folder: Path) -> Iterable[Path]:
    """Return the folders that may hold the files. Files of other databases are read too: the digest identifies the content."""
    return dict.fromkeys((own_place(engine, folder), folder, *inner_places(folder)))


def read_kept(path: Path, digest: object) -> bytes | None:
    """Return the content of a regular file with this digest, else None; it is loaded only after its digest was checked."""
    try:
        with os.fdopen(os.open(path, _FLAGS), "rb") as file:
            what = os.fstat(file.fileno())
            if not S_ISREG(what.st_mode) or what.st_size > LARGEST or file_digest(file, "sha256").hexdigest() != digest:
                return None
            file.seek(0)
            content = file.read(what.st_size)
    except OSError:
        return None
    return content if sha256(content).hexdigest() == digest else None


def digest_of(path: Path) -> str | None:
    """Return the sha256 of an ordinary file; None for one that cannot be read, or is too large to be one of ours."""
    try:
        with os.fdopen(os.open(path, _FLAGS), "rb") as file:
            what = os.fstat(file.fileno())
            return (
                file_digest(file, "sha256").hexdigest() if S_ISREG(what.st_mode) and what.st_size <= LARGEST else None
            )
    except OSError:
        return None


def remove_kept(path: Path) -> None:
    """Remove a regular file; a link, a folder or a pipe of that name is left."""
    with suppress(OSError):
        if is_file(path):
            path.unlink()
