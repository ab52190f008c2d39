"""A folder for checkpoints, a database -> the place in it that belongs to the database, marked by a file.

The mark says which database owns the files of resbench's form there, so that no others are ever removed: neither earlier files
nor those of another database. A second database with the same folder gets a folder inside it, made when first needed. A database
whose identity is in doubt, such as a copy or one from another machine, counts as a second one: it reads the files that its rows
refer to wherever they are, and removes none that may belong to the first.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from secrets import token_hex

from sqlalchemy import Connection, Engine, select

from resbench.errors import BadInput, DatabaseError, StorageError
from resbench.escape import printable
from resbench.files import private_mode, write
from resbench.store.checkpoints.mark import MARK, NOBODY, DatabaseIdentity, FolderMark, is_file, is_mark, read_mark
from resbench.store.connection.dialect import insert_absent, server_of
from resbench.store.connection.transaction import location_of, reading, writing
from resbench.store.schema.tables import rb_weights
from resbench.store.schema.work_tables import rb_checkpoint, rb_lease

# key.epoch.token for checkpoints, sha256.safetensors for weights
FORM = re.compile(
    r"[0-9a-f]{32}(\.[0-9]{1,19}){2}((\.[0-9]{1,19})?\.tmp)?|[0-9a-f]{64}\.safetensors(\.[0-9]{1,19}\.tmp)?", re.ASCII
)
_OWN = re.compile(r"[0-9a-f]{16}", re.ASCII)  # a database's own folder in that of another
_MOUNTED = "lost+found"  # in the root of a file system
_ROLE = "folder of checkpoints"


def identity(engine: Engine) -> DatabaseIdentity | None:
    """Return the identity of a database that has claimed a folder, else None."""
    with reading(engine) as connection:
        drawn = connection.execute(select(rb_lease.c.holder).where(rb_lease.c.name == _ROLE)).scalar()
        server = server_of(connection)
    if not isinstance(drawn, str):
        return None
    location = location_of(engine)
    if location.path is None:
        return DatabaseIdentity(drawn, f"{engine.url.database} ({server})" if server else location.shown)
    path = location.path.resolve()
    try:
        found = path.stat()
    except OSError:  # the file was removed, while the open handle still works
        raise DatabaseError(f"{location.shown}: is gone; no checkpoint is written for it") from None
    return DatabaseIdentity(drawn, str(path), f"{found.st_dev}:{found.st_ino}")


def claim(engine: Engine, folder: Path) -> str | None:
    """Claim the folder for the database before any training. Return a note for the user, or None.

    Raises BadInput where the folder holds files that resbench did not write.
    """
    private_mode()  # raises where it cannot be read
    refuse_strangers(folder)
    with writing(engine) as connection:
        insert_absent(connection, rb_lease, {"name": _ROLE, "holder": token_hex(16), "token": 0, "until": 0.0})
    own, mark = identity(engine), read_mark(folder)
    assert own is not None
    if mark is None:
        if next(files_in(folder), None) is None:
            return None
        with suppress(StorageError):  # the first write to it reports the error
            _put_mark(engine, folder, own)
        left = len((read_mark(folder) or NOBODY).left)
        return f"{folder}: {left} files of unknown checkpoints were there before; they are left" if left else None
    for place in own_places(folder, own):
        found = read_mark(place)
        # It was moved, or the machine was restarted; a server's database is the same from every machine.
        if found is not None and own.file and found != (now := FolderMark(own, found.made, found.left)):
            with suppress(StorageError):
                write(place / MARK, now.data(), force=True, private=True)
    return None if mark.is_of(own) else _other(folder, mark, own, own_place(engine, folder))


def _other(folder: Path, mark: FolderMark, own: DatabaseIdentity, place: Path) -> str:
    """Return the note for a folder that is marked as another database's."""
    other = printable(mark.of.at, 300) or "which is not known"
    text = f"{folder} has the checkpoints of another database, {other}; this one's are in {place}"
    if mark.of.drawn != own.drawn:
        return text
    return (
        f"{text}. One of the two is a copy of the other, or this one came here from {printable(mark.host, 100)}: what its "
        f"rows tell of is gone on with. If no other database uses {folder}, remove {folder / MARK}: then all there is this one's"
    )


def refuse_strangers(folder: Path) -> None:
    """Raise BadInput for a folder without our mark that holds anything but checkpoints."""
    strange = [path.name for path in _listed(folder) if not _is_ours(path)] if read_mark(folder) is None else []
    if strange:
        names = ", ".join(printable(name, 100) for name in strange[:3])
        more = f" and {len(strange) - 3} more" if len(strange) > 3 else ""
        raise BadInput(
            f"{folder}: expected a new or an empty folder for checkpoints, got one that holds {names}{more}; "
            f"it was left as it is: give another, such as `--checkpoints {folder / 'checkpoints'}`"
        )


def own_place(engine: Engine, folder: Path, *, make: bool = False) -> Path:
    """Return the folder for the database's new files: the given one, or one in it. With `make`, create and mark it.

    Raises OSError and StorageError where it cannot be made.
    """
    own = identity(engine)
    if own is None:  # a database that has never claimed one
        return folder
    for place in (folder, *own_places(folder, own), folder / own.short):
        if make and read_mark(place) is None:
            _put_mark(engine, place, own) if place.exists() else _make(place, own)
        mark = read_mark(place)
        if mark is None or mark.is_of(own):
            return place
    return folder / own.short


def own_places(folder: Path, own: DatabaseIdentity | None) -> list[Path]:
    """Return the folders that belong to the database: the given one, unless it is another's, and those in it with its mark."""
    mark = read_mark(folder)
    here = [folder] if mark is None or mark.is_of(own) else []
    return [*here, *(place for place in inner_places(folder) if (found := read_mark(place)) and found.is_of(own))]


def inner_places(folder: Path) -> list[Path]:
    """Return the marked folders inside the folder, of any database."""
    return [path for path in _listed(folder) if _OWN.fullmatch(path.name) and read_mark(path) is not None]


def removable(place: Path, own: DatabaseIdentity | None, known: Collection[str]) -> list[Path]:
    """Return the checkpoints that the database wrote: all newer files in a place with its mark, else those of known keys."""
    mark = read_mark(place)
    if mark is None:
        return [path for path in files_in(place) if path.name.split(".")[0] in known]
    return [path for path in files_in(place) if path.name not in mark.left] if mark.is_of(own) else []


def known_keys(connection: Connection) -> frozenset[str]:
    """Return the prefixes of the names of files that rows refer to: keys of checkpoints, digests of weights."""
    found = chain(
        *(connection.execute(select(column)).scalars() for column in (rb_checkpoint.c.key, rb_weights.c.sha256))
    )
    return frozenset(found)


def leave(place: Path, own: DatabaseIdentity | None) -> None:
    """Remove a folder that holds only our mark; one that resbench did not make stays, without the mark."""
    mark = read_mark(place)
    if mark is None or not mark.is_of(own):
        return
    with suppress(OSError):
        if not mark.made:
            if all(path.name == _MOUNTED or is_mark(path) for path in _listed(place)):
                _remove_marks(place)
        elif all(map(is_mark, _listed(place))):
            gone = _beside(place)
            place.rename(gone)  # atomic: other processes see the folder whole or not at all
            if all(map(is_mark, _listed(gone))):
                _remove_marks(gone)
                gone.rmdir()
            else:  # another process has just written to it
                gone.rename(place)


def files_in(place: Path) -> Iterator[Path]:
    """Yield the files with names of checkpoints, of any database."""
    return (path for path in _listed(place) if FORM.fullmatch(path.name) and is_file(path))


def _make(place: Path, own: DatabaseIdentity) -> None:
    """Make a folder that has its mark from the start; do nothing where another process was faster."""
    place.parent.mkdir(parents=True, exist_ok=True)
    rough = _beside(place)
    rough.mkdir(0o700)
    try:
        write(rough / MARK, FolderMark(own, made=True).data(), private=True)
        rough.chmod(private_mode(folder=True))
        rough.rename(place)
    except (OSError, StorageError):
        _remove_marks(rough)
        rough.rmdir()
        if not place.exists():
            raise


def _put_mark(engine: Engine, place: Path, own: DatabaseIdentity) -> None:
    """Write the mark into an existing folder; do nothing where another process was faster."""
    names = [path.name for path in files_in(place)]
    with reading(engine) as connection:
        keys = known_keys(connection) if names else frozenset()
    left = frozenset(name for name in names if name.split(".")[0] not in keys)
    with suppress(BadInput):
        write(place / MARK, FolderMark(own, left=left).data(), private=True)


def _remove_marks(place: Path) -> None:
    for path in _listed(place):
        if is_mark(path):
            path.unlink()


def _beside(place: Path) -> Path:
    return place.with_name(f".{place.name[:100]}.{token_hex(8)}.part")


def _listed(place: Path) -> list[Path]:
    """Return the entries of a folder; none where it is missing or unreadable, which the first write to it reports."""
    try:
        return sorted(place.iterdir())
    except OSError:
        return []


def _is_ours(path: Path) -> bool:
    if path.name == _MOUNTED or is_mark(path) or (FORM.fullmatch(path.name) and is_file(path)):
        return True
    return _OWN.fullmatch(path.name) is not None and read_mark(path) is not None
