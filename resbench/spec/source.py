"""A path -> the text of a spec file: a regular file of UTF-8, small; nothing else is even opened."""

from __future__ import annotations

import stat
from pathlib import Path

from resbench.errors import Place, Problem, SpecError

MAX_BYTES = 500_000


def read_source(path: Path, name: str) -> str:
    """Raises SpecError when it cannot be; `name` is the file in messages."""
    place = Place(name, 1, 1)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            kind = "a folder" if stat.S_ISDIR(status.st_mode) else "no regular file"
            raise SpecError([Problem(f"{kind}; a YAML file is needed", "", place)])
        if status.st_size > MAX_BYTES:
            raise SpecError([Problem(f"{status.st_size:,} bytes; a spec has at most {MAX_BYTES:,}", "", place)])
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)  # /proc says 0 bytes of files that never end
    except FileNotFoundError:
        raise SpecError([Problem("no such file", "", place)]) from None
    except (OSError, ValueError, RuntimeError) as error:  # ValueError: NUL in the path; RuntimeError: a loop of links
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise SpecError([Problem(f"cannot be read: {reason}", "", place)]) from None
    if len(raw) > MAX_BYTES:
        raise SpecError([Problem(f"more than {MAX_BYTES:,} bytes", "", place)])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SpecError([_not_utf8(raw, error.start, name)]) from None


def _not_utf8(raw: bytes, start: int, name: str) -> Problem:
    begin = raw.rfind(b"\n", 0, start) + 1
    end = raw.find(b"\n", start)
    line = raw[begin : end if end >= 0 else len(raw)].decode("utf-8", "replace")
    column = len(raw[begin:start].decode("utf-8-sig")) + 1
    place = Place(name, raw[:start].count(b"\n") + 1, column, line)
    return Problem(f"byte 0x{raw[start]:02x} is not UTF-8; save the file as UTF-8", "", place)
