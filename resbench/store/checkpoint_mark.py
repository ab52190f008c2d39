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
_HEAD = "Here resbench keeps runs that are under way. It removes files that it wrote and needs no more, nothing else."


@dataclass(frozen=True, slots=True)
class Identity:
    """A database: what was drawn at random when it first had a folder, and where it is, since a copy is another one."""

    drawn: str
    at: str

    @property
    def short(self) -> str:
        return sha256(f"{self.drawn}\n{self.at}".encode("utf-8", "surrogateescape")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Mark:
    """`made`: resbench made the folder too. `left`: files of our form that were there before, of which nothing is known.

    `host`: the machine that wrote it.
    """

    of: Identity
    made: bool = False
    left: frozenset[str] = frozenset()
    host: str = field(default_factory=node)

    def is_of(self, database: Identity | None) -> bool:
        """A file that is no longer where it was on this machine has been moved, not copied."""
        if database is None or self.of.drawn != database.drawn:
            return False
        moved = self.host == node() and Path(self.of.at).is_absolute() and not lexists(self.of.at)
        return self.of.at == database.at or moved

    def data(self) -> bytes:
        lines = [_HEAD, f"database: {self.of.drawn}", f"at: {json.dumps(self.of.at)}", f"host: {json.dumps(self.host)}"]
        lines += [f"folder: {'made' if self.made else 'was there'}", *(f"left: {name}" for name in sorted(self.left))]
        return "".join(f"{line}\n" for line in lines).encode()


NOBODY = Mark(Identity("", ""))


def read_mark(place: Path) -> Mark | None:
    """The mark of a place; one that cannot be read is nobody's."""
    path = place / MARK
    if not lexists(path):
        return None
    try:
        if not is_file(path) or path.stat().st_size > _MOST_BYTES:
            return NOBODY
        lines = [line.partition(": ") for line in path.read_text("utf-8", "replace").splitlines()]
        said = {key: value for key, _, value in lines}
        found = Identity(said["database"], str(json.loads(said["at"])))
        left = frozenset(value for key, _, value in lines if key == "left")
        return Mark(found, said["folder"] == "made", left, str(json.loads(said["host"])))
    except (OSError, ValueError, KeyError, RecursionError):
        return NOBODY


def is_file(path: Path) -> bool:
    """Whether it is an ordinary file itself, and no link to one."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def is_mark(path: Path) -> bool:
    return (path.name == MARK or _PART.fullmatch(path.name) is not None) and is_file(path)
