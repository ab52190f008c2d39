"""A folder for checkpoints, and a database -> the place in it that is the database's own, marked so by a file.

The mark says whose files of resbench's form these are, so that nothing else is ever removed: not what lay there before, not what
another database keeps. A second database that is given the same folder has a folder of its own in it. Made when first needed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

from sqlalchemy import Engine, select

from resbench.errors import BadInput, StorageError
from resbench.escape import printable
from resbench.files import private_mode, write
from resbench.store.checkpoint_mark import MARK, NOBODY, Identity, Mark, is_file, is_mark, read_mark
from resbench.store.dialect import insert_absent
from resbench.store.transaction import reading, writing
from resbench.store.work_tables import rb_checkpoint, rb_lease

FORM = re.compile(r"[0-9a-f]{32}(\.[0-9]{1,19}){2}((\.[0-9]{1,19})?\.tmp)?", re.ASCII)  # key.epoch.token
_OWN = re.compile(r"[0-9a-f]{16}", re.ASCII)  # a database's own folder in that of another
_MOUNTED = "lost+found"  # in the root of a file system
_ROLE = "folder of checkpoints"


def identity(engine: Engine) -> Identity | None:
    """Of a database that has claimed a folder."""
    with reading(engine) as connection:
        drawn = connection.execute(select(rb_lease.c.holder).where(rb_lease.c.name == _ROLE)).scalar()
    name = str(engine.url.database)
    at = str(Path(name).resolve()) if engine.dialect.name == "sqlite" else name
    return Identity(drawn, at) if isinstance(drawn, str) else None


def claim(engine: Engine, folder: Path) -> str | None:
    """Look at the folder before anything is trained. Returns what a user should know of it.

    Raises BadInput where it holds what resbench did not write.
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
        with suppress(StorageError):  # who writes to it is told
            _put_mark(engine, folder, own)
        left = len((read_mark(folder) or NOBODY).left)
        return f"{folder}: {left} files of unknown checkpoints were there before; they are left" if left else None
    if not mark.is_of(own):
        other = printable(mark.of.at, 300) or "which is not known"
        return f"{folder} has the checkpoints of another database, {other}; this one's are in {folder / own.short}"
    if mark.of != own:  # it was moved
        with suppress(StorageError):
            write(folder / MARK, Mark(own, mark.made, mark.left).data(), force=True, private=True)
    return None


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
    """Where the database's files are: the folder, or one in it. `make`: it is there and marked afterwards.

    Raises OSError and StorageError where it cannot be made.
    """
    own = identity(engine)
    if own is None:  # a database that has never claimed one
        if make:
            folder.mkdir(private_mode(folder=True), parents=True, exist_ok=True)
        return folder
    for place in (folder, folder / own.short):
        if make and read_mark(place) is None:
            _put_mark(engine, place, own) if place.exists() else _make(place, own)
        mark = read_mark(place)
        if mark is None or mark.is_of(own):
            return place
    return folder / own.short


def removable(place: Path, own: Identity | None, known: Collection[str]) -> list[Path]:
    """Checkpoints that the database wrote: in a place marked as its own all that came since, in one without a mark those of the
    keys that it knows.
    """
    mark = read_mark(place)
    if mark is None:
        return [path for path in files_in(place) if path.name.split(".")[0] in known]
    return [path for path in files_in(place) if path.name not in mark.left] if mark.is_of(own) else []


def leave(place: Path, own: Identity | None) -> None:
    """Remove a folder in which nothing is left but our mark; one that was there before stays, without the mark."""
    mark = read_mark(place)
    if mark is None or not mark.is_of(own):
        return
    with suppress(OSError):
        if not mark.made:
            if all(path.name == _MOUNTED or is_mark(path) for path in _listed(place)):
                _remove_marks(place)
        elif all(map(is_mark, _listed(place))):
            gone = _beside(place)
            place.rename(gone)  # so that it is whole or gone, whoever looks
            if all(map(is_mark, _listed(gone))):
                _remove_marks(gone)
                gone.rmdir()
            else:  # somebody wrote just now
                gone.rename(place)


def files_in(place: Path) -> Iterator[Path]:
    """Of the form of checkpoints, whoever wrote them."""
    return (path for path in _listed(place) if FORM.fullmatch(path.name) and is_file(path))


def _make(place: Path, own: Identity) -> None:
    """A folder that has its mark from the beginning; nothing where somebody was faster."""
    place.parent.mkdir(parents=True, exist_ok=True)
    rough = _beside(place)
    rough.mkdir(0o700)
    try:
        write(rough / MARK, Mark(own, made=True).data(), private=True)
        rough.chmod(private_mode(folder=True))
        rough.rename(place)
    except (OSError, StorageError):
        _remove_marks(rough)
        rough.rmdir()
        if not place.exists():
            raise


def _put_mark(engine: Engine, place: Path, own: Identity) -> None:
    """In a folder that was there; nothing where somebody was faster."""
    names = [path.name for path in files_in(place)]
    with reading(engine) as connection:
        keys = set(connection.execute(select(rb_checkpoint.c.key)).scalars()) if names else set()
    left = frozenset(name for name in names if name.split(".")[0] not in keys)
    with suppress(BadInput):
        write(place / MARK, Mark(own, left=left).data(), private=True)


def _remove_marks(place: Path) -> None:
    for path in _listed(place):
        if is_mark(path):
            path.unlink()


def _beside(place: Path) -> Path:
    return place.with_name(f".{place.name[:100]}.{token_hex(8)}.part")


def _listed(place: Path) -> list[Path]:
    """Nothing where there is no folder, or none that can be looked into: who writes to it is told."""
    try:
        return sorted(place.iterdir())
    except OSError:
        return []


def _is_ours(path: Path) -> bool:
    if path.name == _MOUNTED or is_mark(path) or (FORM.fullmatch(path.name) and is_file(path)):
        return True
    return _OWN.fullmatch(path.name) is not None and read_mark(path) is not None
