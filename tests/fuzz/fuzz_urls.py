"""A seed -> a URL of a database as people write them, right or wrong, and the parts of its password that may be shown nowhere."""

from __future__ import annotations

import random
from dataclasses import dataclass
from urllib.parse import quote

LETTERS = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ"
SIGNS = "@:/?#&=%+ '\"\\[]()!$*,;~^`{}|<>-_.é漢😀"
SCHEMES = ("postgresql", "postgres", "postgresql+psycopg", "PostgreSQL", "postgresql+pg8000", "postgreql", "pg", "mysql", "https",
           "sqlite", "jdbc:postgresql", "psql postgresql")  # fmt: skip
SIGNS_BEHIND = ("://", "://", "://", "://", ":/", ":", "//", ";//", ":///", "", " ://")  # a scheme
HOSTS = ("host", "db.example.org", "127.0.0.1:1", "[::1]:5432", "host:5432", "a,b", "ho st", "", "host:port", "%2Ftmp", "h@h",
         "localhost:99999")  # fmt: skip
NAMES = ("/results", "/", "", "/a/b", "/results#x", "/x?", "/résultats", "/x@y")
KEYS = ("password", "sslpassword", "PASSWORD", "passwd", "pwd", "Passphrase", "sslkeypassword", "pass")
OTHERS = (
    "sslmode=require",
    "connect_timeout=3",
    "application_name=x",
    "target_session_attrs=any",
    "user=ann",
    "a",
    "=",
    "sslmode",
)


@dataclass(frozen=True, slots=True)
class Guarded:
    """`parts`: of the password, each long enough to be found in a text by no chance. `password`: as a driver would have it."""

    url: str
    password: str
    parts: tuple[str, ...]


def guarded_url(rng: random.Random) -> Guarded:
    parts = tuple(_part(rng) for _ in range(rng.choice([1, 1, 2, 3])))
    password = rng.choice(["", "", rng.choice(SIGNS)]) + "".join(part + rng.choice(["", *SIGNS]) for part in parts)
    if rng.random() < 0.25:
        return Guarded(_words(password, rng), password, parts)
    written = rng.choice([password, password, quote(password, safe=""), quote(password), quote(password, safe="@:/")])
    right = rng.random() < 0.6  # in all but the password
    scheme = rng.choice(SCHEMES[:3] if right else SCHEMES)
    sign = "://" if right else rng.choice(SIGNS_BEHIND)
    host, name = rng.choice(HOSTS[:5] if right else HOSTS), rng.choice(NAMES[:3] if right else NAMES)
    if rng.random() < 0.3 and not set("?#") & set(name):  # among the options
        secret = f"{rng.choice(KEYS)}={quote(password, safe='')}"
        options = [secret, *rng.sample(OTHERS[: 5 if right else None], rng.randrange(3))]
        rng.shuffle(options)
        return Guarded(f"{scheme}://{rng.choice(['ann@', ''])}{host}{name}?{'&'.join(options)}", password, parts)
    login = f"{rng.choice(['ann', 'ann', 'a.nn', 'a%20n', ''])}:{written}@"
    ending = rng.choice(
        [
            "",
            "",
            "",
            "?sslmode=require",
            "?sslmode=require&connect_timeout=3",
            *([] if right else ["?a", "?", "#", " "]),
        ]
    )
    before = "" if right else rng.choice(["", "", "", " "])
    return Guarded(f"{before}{scheme if sign else ''}{sign}{login}{host}{name}{ending}", password, parts)


def _part(rng: random.Random) -> str:
    return "".join(rng.choices(rng.choice([LETTERS, LETTERS, "23456789"]), k=rng.randrange(6, 12)))


def _words(password: str, rng: random.Random) -> str:
    """As libpq takes it, `host=h password=..`: quoted where it must be, and where not."""
    plain = "'" + password.replace("\\", "\\\\").replace("'", "\\'") + "'"
    value = plain if any(c in password for c in " '\\") or rng.random() < 0.5 else password
    words = [
        f"{rng.choice(KEYS)}{rng.choice(['=', '=', ' = ', '= '])}{value}",
        "host=h",
        "dbname=x",
        "user=ann",
        "port=5432",
    ]
    chosen = [*rng.sample(words[1:], rng.randrange(4)), words[0], *rng.sample(words[2:], rng.randrange(2))]
    return rng.choice([" ", "  ", " "]).join(chosen)
