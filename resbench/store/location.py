"""What a person gives as `--db` -> Location(url, path, text safe to print).  Imports no database library.

`results.db`, `sqlite:///results.db`, `sqlite:////abs/results.db`, `sqlite:///results.db?mode=ro`,
`postgresql://user:password@host/name`. Of a server's URL only scheme, host, port and database are ever shown; what cannot be
read as one is not shown at all, for somewhere in it may stand a password.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote

from resbench.errors import DatabaseError, did_you_mean
from resbench.escape import printable

_ALLOWED = "a path such as `results.db`, `sqlite:///results.db` or `postgresql://user@host/name`"
_DRIVERS = ("sqlite", "postgresql")
_PLACE = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~%-]*)(?::([0-9]{1,5}))?(?:/([^/@:?#\s]*))?")
# What is no path, though it has no `://`: a URL that lost a slash, libpq's own form, a URL that lost its scheme.
_NO_PATH = re.compile(
    r"(?i)(?:postgres(?:ql)?|sqlite|mysql|mariadb|oracle|mssql)(?:\+\w+)?:|(?:.*[\s&?;])?\w*(?:pass(?:word|wd)?|pwd|host|user|dbname|"
    r"service)\s*=|[^/\\]*:[^/\\]*@|//"
)
_URL = re.compile(r"\s*[A-Za-z][\w+]*:/")
_SHORTEST = 4  # characters of an option's value that is taken for a secret; a password is always one
_SECRET = re.compile(r"(?i)\b\w*(?:pass(?:word|wd|phrase)?|pwd|secret|token)\w*\s*=\s*('(?:[^'\\]|\\.)*'|[^&\s]+)")


@dataclass(frozen=True, slots=True)
class Location:
    """Where a database is. `url` may hold a password and is never printed; `path` is None for a server.

    `secrets`: what no message may hold.
    """

    url: str = field(repr=False)
    path: Path | None
    shown: str
    read_only: bool = False
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def sqlite_uri(self, mode: str) -> str:
        """The file as SQLite's own URI: `mode` is ro, rw (never makes a file) or rwc."""
        assert self.path is not None
        return f"file:{quote(str(self.path))}?mode={'ro' if self.read_only else mode}"

    def conceal(self, message: str) -> str:
        """A message of a driver's on one line, without what the URL keeps secret."""
        return conceal(" ".join(message.split()), self.secrets)


def locate(text: str) -> Location:
    """Split what was given. Touches no file.

    Raises DatabaseError for what cannot name a database.

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
        f"--db: unknown kind of database {printable(repr(scheme)) if scheme.isascii() else 'in this URL'}"
        f"{did_you_mean(dialect, _DRIVERS)}; expected {_ALLOWED}"
    )


def conceal(text: str, secrets: tuple[str, ...]) -> str:
    """The text with each secret as `***`.

    >>> conceal("no pg_hba entry for secret", ("secret",))
    'no pg_hba entry for ***'
    """
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def secrets_in(text: str) -> tuple[str, ...]:
    """What may be a password in a word of a command line that need not be a right URL: for whoever prints such words back.

    >>> secrets_in("postgres:/ann:se@cret@host/x"), secrets_in("host=h password=secret")
    (('se@cret',), ('secret',))
    """
    return tuple(dict.fromkeys(secret for secret in _found(text) if secret))


def _found(text: str) -> Iterator[str]:
    head, at, _ = text.rpartition("@")
    user = head.rpartition("//")[2] if "//" in head else head
    user = user.partition(":/")[2] or user
    if at and ":" in user:
        password = user.partition(":")[2]
        yield from (password, unquote(password))
    if _URL.match(text):
        yield from re.findall(r"[?&](?:[^=&]*=)?([^=&]{4,})(?=&|$)", text)
    for match in _SECRET.finditer(text):
        yield from (match[1], match[1].strip("'"), unquote(match[1]))


def _server(rest: str) -> Location:
    place, _, query = rest.partition("?")
    userinfo, _, where = place.rpartition("@")
    match = _PLACE.fullmatch(where)
    try:
        options = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError:
        match = None
    if match is None or "://" in where or not where.isprintable():
        raise DatabaseError(
            "--db: this URL of a Postgres server cannot be read; it is not shown, for it may hold a password: expected "
            "`postgresql://user@host:port/name`, with `@` written as %40 and `?` as %3F in a password"
        )
    user, colon, password = userinfo.partition(":")
    host, port, name = match[1], match[2] and f":{match[2]}", match[3] and f"/{match[3]}"
    login = "".join(
        (quote(unquote(user), safe=""), colon and ":", quote(unquote(password), safe=""), "@" * bool(userinfo))
    )
    secrets = {password, unquote(password), quote(unquote(password), safe="")}
    secrets |= {value for _, value in options if len(value) >= _SHORTEST}
    secrets |= {value for key, value in options if "pass" in key.lower()}
    return Location(
        url=f"postgresql+psycopg://{login}{where}{query and f'?{query}'}",
        path=None,
        shown=f"postgresql://{host}{port or ''}{name or ''}",
        secrets=tuple(sorted(secrets - {""})),
    )


def _sqlite(rest: str) -> Location:
    database, _, query = rest.removeprefix("/").partition("?")
    options = dict(parse_qsl(query))
    mode = options.pop("mode", "rw")
    options.pop("uri", None)
    if options or mode not in ("ro", "rw", "rwc"):
        raise DatabaseError("--db: unknown option in the URL of an SQLite file; expected none, or `?mode=ro`")
    return _file(database.removeprefix("file:"), read_only=mode == "ro")


def _file(name: str, *, read_only: bool) -> Location:
    if name in ("", ":memory:"):
        raise DatabaseError("--db: a database in memory ends with its process; give a file, such as `results.db`")
    if _NO_PATH.match(name):
        raise DatabaseError(
            f"--db: expected {_ALLOWED}, got what is neither; it is not shown, for it may hold a password. `./` before a file's "
            "name makes it a path"
        )
    path = Path(name).expanduser().absolute()
    return Location(url=f"sqlite:///{path}", path=path, shown=printable(name, 300), read_only=read_only)
