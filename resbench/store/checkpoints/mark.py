"""The file that says whose a place for checkpoints is, and its text.  A mark that cannot be read is nobody's."""

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
    """This machine: its host name, for many machines have the same, with a part of a hash of its number where it has one."""
    number = _line(_MACHINE)
    return f"{node()} {sha256(f'resbench {number}'.encode()).hexdigest()[:12]}" if number else node()


def boot() -> str:
    """Return the running system, whichever container of it this is in; "" where the system does not tell."""
    return _line(_BOOT)


@dataclass(frozen=True, slots=True)
class DatabaseIdentity:
    """A database: what was drawn at random when it first had a folder, and where it is, since a copy is another one.

    `at`: a file's path; of a server what tells it from others. `file`: a file's device and number there; "" of a server.
    """

    drawn: str
    at: str
    file: str = ""

    @property
    def number(self) -> str:
        """Of the file in its file system; the device may have another number after a restart."""
        return self.file.partition(":")[2]

    @property
    def short(self) -> str:
        """The name of its own folder in that of another database: of a copy at the same path elsewhere it is another one."""
        where = f"{machine()}\n{self.number}" if self.file else ""
        return sha256(f"{self.drawn}\n{self.at}\n{where}".encode("utf-8", "surrogateescape")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class FolderMark:
    """`made`: resbench made the folder too. `left`: files of our form that were there before, of which nothing is known.

    `host`, `boot`: the machine that wrote it, and its system as it ran then.
    """

    of: DatabaseIdentity
    made: bool = False
    left: frozenset[str] = frozenset()
    host: str = field(default_factory=machine)
    boot: str = field(default_factory=boot)

    def is_of(self, database: DatabaseIdentity | None) -> bool:
        """Return whether it was written for this very database: of a doubtful one not, for another's checkpoints are
        never removed.

        A file is the same in the same running system by its number there, under whatever name, in whatever container; later on
        the same machine, if it has the number still, at its place; or if there is nothing any more where it was.
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
        return at.is_absolute() and not lexists(at) and (same or at.parent.is_dir())  # else its disc may be away

    def data(self) -> bytes:
        lines = [_HEAD, f"database: {self.of.drawn}", f"at: {json.dumps(self.of.at)}", f"file: {self.of.file}"]
        lines += [f"host: {json.dumps(self.host)}", f"boot: {self.boot}"]
        lines += [f"folder: {'made' if self.made else 'was there'}", *(f"left: {name}" for name in sorted(self.left))]
        return "".join(f"{line}\n" for line in lines).encode()


NOBODY = FolderMark(DatabaseIdentity("", ""), host="", boot="")


def read_mark(place: Path) -> FolderMark | None:
    """Return the mark of a place; one that cannot be read is nobody's."""
    path = place / MARK
    if not lexists(path):
        return None
    try:
        if not is_file(path) or path.stat().st_size > _MOST_BYTES:
            return NOBODY
        lines = [line.partition(": ") for line in path.read_text("utf-8", "replace").splitlines()]
        said = {key: value for key, _, value in lines}
        found = DatabaseIdentity(said["database"], str(json.loads(said["at"])), said["file"])
        left = frozenset(value for key, _, value in lines if key == "left")
        return FolderMark(found, said["folder"] == "made", left, str(json.loads(said["host"])), said["boot"])
    except (OSError, ValueError, KeyError, RecursionError):
        return NOBODY


def is_file(path: Path) -> bool:
    """Return whether it is an ordinary file itself, and no link to one."""
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
