"""What a person gives as `--db` -> Location(url, path, text safe to print).  Imports no database library.

`results.db`, `sqlite:///results.db`, `sqlite:////abs/results.db`, `sqlite:///results.db?mode=ro`,
`postgresql://user:password@host/name`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, quote

from resbench.errors import DatabaseError, did_you_mean

_ALLOWED = "a path such as `results.db`, `sqlite:///results.db` or `postgresql://user@host/name`"
_DRIVERS = ("sqlite", "postgresql")


@dataclass(frozen=True, slots=True)
class Location:
    """Where a database is. `url` may hold a password and is never printed; `path` is None for a server."""

    url: str
    path: Path | None
    shown: str
    read_only: bool = False

    def sqlite_uri(self, mode: str) -> str:
        """The file as SQLite's own URI: `mode` is ro, rw (never makes a file) or rwc."""
        assert self.path is not None
        return f"file:{quote(str(self.path))}?mode={'ro' if self.read_only else mode}"


def locate(text: str) -> Location:
    """Split what was given; raises DatabaseError for what cannot name a database. Touches no file.

    >>> locate("postgresql://ann:secret@host/results").shown
    'postgresql://ann:***@host/results'
    >>> locate("sqlite:////data/results.db").path.as_posix()
    '/data/results.db'
    """
    if not text.strip() or "\0" in text:
        raise DatabaseError(f"--db {hide_password(text)!r} names no database; allowed: {_ALLOWED}")
    if "://" not in text:
        return _file(text, text, read_only=False)
    scheme, rest = text.split("://", 1)
    dialect, _, driver = scheme.partition("+")
    if dialect == "sqlite" and driver in ("", "pysqlite"):
        return _sqlite(text, rest)
    if dialect in ("postgresql", "postgres") and driver in ("", "psycopg"):
        return Location(url=f"postgresql+psycopg://{rest}", path=None, shown=hide_password(text))
    raise DatabaseError(
        f"{hide_password(text)}: unknown kind of database {scheme!r}{did_you_mean(dialect, _DRIVERS)}; allowed: {_ALLOWED}"
    )


def hide_password(text: str) -> str:
    """The same text without the password of any URL in it.

    >>> hide_password("no answer from postgresql://ann:s@cret@host/x?password=secret&a=1")
    'no answer from postgresql://ann:***@host/x?password=***&a=1'
    """
    text = re.sub(r"(://[^:/?#\s]*):[^\s]*@", r"\1:***@", text)
    return re.sub(r"(?i)(password=)[^&\s]*", r"\1***", text)


def _sqlite(text: str, rest: str) -> Location:
    database, _, query = rest.removeprefix("/").partition("?")
    options = dict(parse_qsl(query))
    mode = options.pop("mode", "rw")
    options.pop("uri", None)
    if options or mode not in ("ro", "rw", "rwc"):
        raise DatabaseError(f"{text}: unknown option in the URL; allowed: `?mode=ro`")
    return _file(database.removeprefix("file:"), text, read_only=mode == "ro")


def _file(name: str, text: str, *, read_only: bool) -> Location:
    if name in ("", ":memory:"):
        raise DatabaseError(f"{text}: a database in memory ends with its process; give a file, such as `results.db`")
    path = Path(name).expanduser().absolute()
    return Location(url=f"sqlite:///{path}", path=path, shown=name, read_only=read_only)
