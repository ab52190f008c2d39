"""A URL, or a word of a command line that may be one -> its possible secrets; a text -> the text without them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from urllib.parse import unquote

_SHORTEST = 4  # characters of an option's value that counts as a secret; a password always does
# Options of libpq (its documentation, 32.1.2) that hold no secret: their values are words that any message may hold, such as
# `require`. `options`, `service`, `passfile` and the names of keys stay secret, since they may hold a password or a path.
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
_LOGIN = re.compile(
    r"(?i)\s*(?:[a-z][\w+.-]*\s*[:;]?//+|postgres[\w+]*[:;]/?)"
)  # the scheme before it, also a malformed one
_SECRET = re.compile(r"(?i)\b\w*(?:pass|pwd|secret|token)\w*\s*=\s*('(?:[^'\\]|\\.)*'|\S+)")


def secrets_of(options: Sequence[tuple[str, str]], query: str) -> set[str]:
    """Return the possible secrets among the options of a URL, decoded and as written in the query.

    >>> sorted(secrets_of([("sslmode", "require"), ("sslpassword", "a b")], "sslmode=require&sslpassword=a%20b"))
    ['a b', 'a%20b']
    """
    found = set()
    for (key, value), word in zip(options, query.split("&") if query else [], strict=True):
        if is_secret(key, value):
            found |= {value, word.partition("=")[2]}
    return found


def is_secret(key: str, value: str) -> bool:
    """Return whether the value of an option may be a secret: a password always, any other unless it is short or its key is
    harmless.
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
    """Return the possible passwords in a word of a command line, also in a malformed URL, for callers that print such words.

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
