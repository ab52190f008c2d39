"""A URL, or a word of a command line that may be one -> what may be secret in it; a text -> the text without that."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from urllib.parse import unquote

_SHORTEST = 4  # characters of an option's value that is taken for a secret; a password is always one
# Options of libpq (its documentation, 32.1.2) that hold no secret: their values are words that any message may hold, such as
# `require`. `options`, `service`, `passfile` and the names of keys stay secret, for a password or a path may stand there.
_HARMLESS = frozenset((
    "application_name", "channel_binding", "client_encoding", "connect_timeout", "dbname", "fallback_application_name",
    "gssdelegation", "gssencmode", "gsslib", "host", "hostaddr", "keepalives", "keepalives_count", "keepalives_idle",
    "keepalives_interval", "krbsrvname", "load_balance_hosts", "max_protocol_version", "min_protocol_version", "port",
    "prepare_threshold",
    "replication", "require_auth", "requirepeer", "sslcertmode", "sslcompression", "sslcrl", "sslcrldir", "sslmode",
    "sslnegotiation", "sslrootcert", "sslsni", "ssl_max_protocol_version", "ssl_min_protocol_version", "target_session_attrs",
    "tcp_user_timeout", "user",
))  # fmt: skip
_URL = re.compile(r"\s*[A-Za-z][\w+]*:/")
_LOGIN = re.compile(r"(?i)\s*(?:[a-z][\w+.-]*\s*[:;]?//+|postgres[\w+]*[:;]/?)")  # what stands before it, right or not
_SECRET = re.compile(r"(?i)\b\w*(?:pass|pwd|secret|token)\w*\s*=\s*('(?:[^'\\]|\\.)*'|\S+)")


def secrets_of(options: Sequence[tuple[str, str]], query: str) -> set[str]:
    """Return what may be secret among the options of a URL, decoded and as its query has it.

    >>> sorted(secrets_of([("sslmode", "require"), ("sslpassword", "a b")], "sslmode=require&sslpassword=a%20b"))
    ['a b', 'a%20b']
    """
    found = set()
    for (key, value), word in zip(options, query.split("&") if query else [], strict=True):
        if is_secret(key, value):
            found |= {value, word.partition("=")[2]}
    return found


def is_secret(key: str, value: str) -> bool:
    """Return whether the value of an option may be a secret: of a password always, else unless it is short or its key
    is harmless.
    """
    harmless = key in _HARMLESS and not {":", "@"} & set(value)  # a login that got there by mistake
    return "pass" in key.lower() or (len(value) >= _SHORTEST and not harmless)


def conceal(text: str, secrets: tuple[str, ...]) -> str:
    """Return the text with each secret as `***`.

    >>> conceal("no pg_hba entry for secret", ("secret",))
    'no pg_hba entry for ***'
    """
    hidden = [False] * len(text)  # two of them may overlap
    for secret in filter(None, secrets):
        start = text.find(secret)
        while start >= 0:
            hidden[start : start + len(secret)] = [True] * len(secret)
            start = text.find(secret, start + 1)
    if not any(hidden):
        return text
    runs = groupby(zip(text, hidden, strict=True), key=itemgetter(1))
    return "".join("***" if secret else "".join(c for c, _ in run) for secret, run in runs)


def secrets_in(text: str) -> tuple[str, ...]:
    """Return what may be a password in a word of a command line that need not be a right URL: for whoever prints such
    words back.

    >>> secrets_in("postgres:/ann:se@cret@host/x"), secrets_in("host=h password=secret")
    (('se@cret',), ('secret',))
    """
    return tuple(dict.fromkeys(secret for secret in _found(text) if secret))


def _found(text: str) -> Iterator[str]:
    head, at, _ = text.rpartition("@")
    login = _LOGIN.match(head)
    password = head[login.end() if login else 0 :] if at else ""
    while ":" in password:  # of `postgres:ann:secret@host` the second is it
        password = password.partition(":")[2]
        yield from (password, unquote(password))
    if _URL.match(text):
        options = re.findall(r"[?&](?:([^=&]*)=)?([^=&]{4,})(?=&|$)", text)
        yield from (value for key, value in options if is_secret(key, value))
    for match in _SECRET.finditer(text):
        for value in (match[1], match[1].partition("&")[0]):  # in a URL an option ends at an `&`
            yield from (value, value.strip("'"), unquote(value))
