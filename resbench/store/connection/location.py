"""The text of `--db` -> Location(url, path, text safe to print).  Imports no database library.

`results.db`, `sqlite:///results.db`, `sqlite:////abs/results.db`, `sqlite:///results.db?mode=ro`,
`postgresql://user:password@host/name`. Only scheme, host, port and database of a server's URL are ever shown; a text that cannot
be parsed as a URL is not shown at all, since it may contain a password.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote

from resbench.did_you_mean import did_you_mean
from resbench.errors import DatabaseError
from resbench.escape import printable
from resbench.language.library.lookup import at_home
from resbench.store.connection.secrets import conceal, secrets_of

_ALLOWED = "a path such as `results.db`, `sqlite:///results.db` or `postgresql://user@host/name`"
_DRIVERS = ("sqlite", "postgresql")
FOUND = -1
_PREPARE = "prepare_threshold"
_OURS = (
    "autocommit",
    "context",
    "cursor_factory",
    "row_factory",
)  # of psycopg's connect; a text cannot set them
_PLACE = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~%-]*)(?::([0-9]{1,5}))?(?:/([^/@:?#\s]*))?")
_SCHEME = re.compile(r"\s*[A-Za-z][\w+.-]*")
_PATH = re.compile(r"\.{0,2}[/\\](?!/)|~|[A-Za-z]:[/\\]")  # the start of a path; the rest is not checked
# Not paths, though they have no `://`: a URL that lost a slash, libpq's own form, a URL that lost its scheme.
_NO_PATH = re.compile(
    r"(?is)^\s*(?:postgres(?:ql)?|sqlite|mysql|mariadb|oracle|mssql)(?:\+\w+)?[:;]|^\s*//|//.*@|:.*@|"
    r"(?:^|[\s&?;,])\w*(?:pass|pwd|host|user|dbname|service)\w*\s*="
)


@dataclass(frozen=True, slots=True)
class Location:
    """The location of a database: the `url` of a server, which may hold a password and is never printed, or the `path` of a file.

    Attributes:
        secrets: texts that no message may hold (store/connection/secrets.py).
        prepare_after: the number of uses after which a statement is prepared on the server; 0: never; FOUND: detected when
            connecting.
    """

    url: str = field(repr=False)
    path: Path | None
    shown: str
    read_only: bool = False
    secrets: tuple[str, ...] = field(default=(), repr=False)
    prepare_after: int = FOUND

    def sqlite_uri(self, mode: str) -> str:
        """Return the file as a URI of SQLite's. `mode` is ro, rw (never creates a file) or rwc."""
        assert self.path is not None
        return f"file:{quote(os.fsencode(self.path))}?mode={'ro' if self.read_only else mode}"

    def sets(self, option: str) -> bool:
        """Return whether the URL of a server sets an option."""
        return any(key == option for key, _ in parse_qsl(self.url.partition("?")[2], keep_blank_values=True))

    def conceal(self, message: str) -> str:
        """Return a driver's message on one line, without the secrets of the URL."""
        return " ".join(conceal(message, self.secrets).split())


def locate(text: str) -> Location:
    """Parse the text of `--db`. Touches no file.

    Raises DatabaseError for a text that cannot name a database.

    >>> locate("postgresql://ann:secret@host:5432/results?sslmode=require").shown
    'postgresql://host:5432/results'
    >>> locate("sqlite:////data/results.db").path.as_posix()
    '/data/results.db'
    """
    if not text.strip() or "\0" in text:
        raise DatabaseError(f"--db: expected {_ALLOWED}, got no name of a database")
    if "://" not in text:
        return _file(text, read_only=False)
    scheme, rest = text.split("://", 1)
    dialect, _, driver = scheme.partition("+")
    if dialect == "sqlite" and driver in ("", "pysqlite"):
        return _sqlite(rest)
    if dialect in ("postgresql", "postgres") and driver in ("", "psycopg"):
        return _server(rest)
    raise DatabaseError(
        f"--db: unknown kind of database {printable(repr(scheme)) if _SCHEME.fullmatch(scheme) else 'in this URL'}"
        f"{did_you_mean(dialect, _DRIVERS)}; expected {_ALLOWED}"
    )


def _server(rest: str) -> Location:
    place, _, query = rest.partition("?")
    userinfo, _, where = place.rpartition("@")
    match = _PLACE.fullmatch(where)
    try:
        options = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError:
        match = None
    if match is None or "://" in where or "@" in query or not where.isprintable():
        raise DatabaseError(
            "--db: this URL of a Postgres server cannot be parsed; it is not shown, since it may hold a password: expected "
            "`postgresql://user@host:port/name`, with `@` written as %40 and `?` as %3F in a password"
        )
    user, colon, password = userinfo.partition(":")
    host, port, name = match[1], match[2] and f":{match[2]}", match[3] and f"/{match[3]}"
    login = "".join(
        (quote(unquote(user), safe=""), colon and ":", quote(unquote(password), safe=""), "@" * bool(userinfo))
    )
    after, rest = _preparing(options, query)
    secrets = {password, unquote(password), quote(unquote(password), safe=""), *secrets_of(options, query)}
    return Location(
        url=f"postgresql+psycopg://{login}{where}{rest and f'?{rest}'}",
        path=None,
        shown=f"postgresql://{host}{port or ''}{name or ''}",
        secrets=tuple(sorted(secrets - {""})),
        prepare_after=after,
    )


def _preparing(options: Sequence[tuple[str, str]], query: str) -> tuple[int, str]:
    """Return the setting for prepared statements, and the query without that option, which is psycopg's and not libpq's."""
    ours = next((key for key, _ in options if key in _OURS), None)
    if ours is not None:
        raise DatabaseError(
            f"--db: {ours}: expected no such option in the URL of a server, since resbench sets it; leave it out"
        )
    after = FOUND
    for value in (value for key, value in options if key == _PREPARE):
        if not re.fullmatch(r"none|[0-9]{1,6}", value, re.IGNORECASE | re.ASCII):
            raise DatabaseError(
                f"--db: {_PREPARE}: expected the number of uses after which a statement is prepared, such as 5, or 0 for never"
            )
        after = int(value) if value.isdigit() else 0
    return after, "&".join(word for word in query.split("&") if unquote(word.partition("=")[0]) != _PREPARE)


def _sqlite(rest: str) -> Location:
    database, _, query = rest.removeprefix("/").partition("?")
    try:
        options = dict(parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)))
    except ValueError:
        options = {"": ""}
    mode = options.pop("mode", "rw")
    options.pop("uri", None)
    if options or mode not in ("ro", "rw", "rwc"):
        raise DatabaseError("--db: unknown option in the URL of an SQLite file; expected none, or `?mode=ro`")
    return _file(database.removeprefix("file:"), read_only=mode == "ro")


def _file(name: str, *, read_only: bool) -> Location:
    if name in ("", ":memory:"):
        raise DatabaseError("--db: a database in memory ends with its process; give a file, such as `results.db`")
    if _NO_PATH.search(name) and not _PATH.match(name):
        raise DatabaseError(
            f"--db: expected {_ALLOWED}, got neither; it is not shown, since it may hold a password. Write `./` before the name "
            "of a file to make it a path"
        )
    path = at_home(name).absolute()
    return Location(url="", path=path, shown=printable(name, 300), read_only=read_only)
