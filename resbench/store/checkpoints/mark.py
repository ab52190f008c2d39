"""The file that says which database a place for checkpoints belongs to.  An unreadable mark belongs to no database."""

from __future__ import annotations

import json
import re
import stat
from dataclasses import dataclass, field
from hashlib import sha256
from os.path import lexists
from pathlib import Path
from platform import node

MARK = ".resbench-checkpoints"
_PART = re.compile(re.escape(f".{MARK}.") + r"[0-9a-f]{16}\.part", re.ASCII)  # a mark being written
_MOST_BYTES = 1_000_000
_HEAD = (
    "Here resbench keeps runs under way, and weights. It removes files that it wrote and needs no more, nothing else."
)
_MACHINE, _BOOT = Path("/etc/machine-id"), Path("/proc/sys/kernel/random/boot_id")


def machine() -> str:
    """Return the host name of this machine, with a part of the hash of its machine id, since machines may share a host name."""
    number = _line(_MACHINE)
    return f"{node()} {sha256(f'resbench {number}'.encode()).hexdigest()[:12]}" if number else node()


def boot() -> str:
    """Return the id of the running system, the same in all its containers; "" where the system has none."""
    return _line(_BOOT)


@dataclass(frozen=True, slots=True)
class DatabaseIdentity:
    """The identity of a database: a random number drawn when it first got a folder, and its location, since a copy differs.

    `at` is the path of a file, or a description that is unique to a server's database. `file` is the device and inode of a file;
    "" for a server.
    """

    drawn: str
    at: str
    file: str = ""

    @property
    def number(self) -> str:
        """The inode of the file; the device may have another number after a restart."""
        return self.file.partition(":")[2]

    @property
    def short(self) -> str:
        """The name of its folder inside that of another database; it differs for a copy at the same path on another machine."""
        where = f"{machine()}\n{self.number}" if self.file else ""
        return sha256(f"{self.drawn}\n{self.at}\n{where}".encode("utf-8", "surrogateescape")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class FolderMark:
    """The mark of a folder.

    Attributes:
        made: whether resbench made the folder too.
        left: files of resbench's form that were there before, and are never removed.
        host, boot: the machine that wrote the mark, and the id of the system that ran then.
    """

    of: DatabaseIdentity
    made: bool = False
    left: frozenset[str] = frozenset()
    host: str = field(default_factory=machine)
    boot: str = field(default_factory=boot)

    def is_of(self, database: DatabaseIdentity | None) -> bool:
        """Return whether the mark belongs to this database. In doubt it does not, since the checkpoints of another database must
        never be removed.

        In the same running system a file is identified by its inode, under any name and in any container. Later, on the same
        machine, it is the same if it still has its inode at its place, or if nothing is left at its old place.
        """
        if database is None or self.of.drawn != database.drawn:
            return False
        if not self.of.file or not database.file:
            return self.of.file == database.file and self.of.at == database.at
        if self.boot and self.boot == boot() and self.of.file == database.file:
            return True
        if self.host != machine():
            return False
        same = self.of.number == database.number
        if self.of.at == database.at:
            return same
        at = Path(self.of.at)
        return at.is_absolute() and not lexists(at) and (same or at.parent.is_dir())  # else its disc may be unmounted

    def data(self) -> bytes:
        lines = [_HEAD, f"database: {self.of.drawn}", f"at: {json.dumps(self.of.at)}", f"file: {self.of.file}"]
        lines += [f"host: {json.dumps(self.host)}", f"boot: {self.boot}"]
        lines += [f"folder: {'made' if self.made else 'was there'}", *(f"left: {name}" for name in sorted(self.left))]
        return "".join(f"{line}\n" for line in lines).encode()


NOBODY = FolderMark(DatabaseIdentity("", ""), host="", boot="")


def read_mark(place: Path) -> FolderMark | None:
    """Return the mark of a place, None where it has none, NOBODY for one that cannot be read."""
    path = place / MARK
    if not lexists(path):
        return None
    try:
        if not is_file(path) or path.stat().st_size > _MOST_BYTES:
            return NOBODY
        lines = [line.partition(": ") for line in path.read_text("utf-8", "replace").splitlines()]
        fields = {key: value for key, _, value in lines}
        found = DatabaseIdentity(fields["database"], str(json.loads(fields["at"])), fields["file"])
        left = frozenset(value for key, _, value in lines if key == "left")
        return FolderMark(found, fields["folder"] == "made", left, str(json.loads(fields["host"])), fields["boot"])
    except (OSError, ValueError, KeyError, RecursionError):
        return NOBODY


def is_file(path: Path) -> bool:
    """Return whether the path is a regular file, not a link to one."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def is_mark(path: Path) -> bool:
    return (path.name == MARK or _PART.fullmatch(path.name) is not None) and is_file(path)


def _line(path: Path) -> str:
    try:
        return path.read_text("ascii").strip()
    except (OSError, ValueError):
        return ""
