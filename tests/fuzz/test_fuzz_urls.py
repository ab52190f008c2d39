"""Random URLs of databases with a password in them, right and wrong: no part of it comes out anywhere."""

from __future__ import annotations

import pytest
from fuzz_case import Figures, cases, chunks
from fuzz_urls import Guarded, guarded_url
from sqlalchemy import make_url

from resbench.errors import DatabaseError
from resbench.store.connection.location import Location, locate
from resbench.store.connection.secrets import conceal, secrets_in

SAMPLE, WANTED = 800, 5_000
# What drivers and SQLAlchemy say: {u} the URL that they were given, {p} the password.
MESSAGES = (
    'connection to server at "host", port 5432 failed: FATAL: password authentication failed for user "ann" ({p})',
    "invalid dsn: {u}", "invalid connection option in '{u}'", "password={p} host=h", "no entry for {p}\n  in {u}", '"{p}"',
    "{p}{p}",
)  # fmt: skip


@pytest.mark.parametrize("chunk", chunks(SAMPLE))
def test_no_part_of_a_password_is_shown(chunk: int, figures: Figures) -> None:
    for number in cases(chunk, SAMPLE, WANTED):
        with figures.case(number) as rng:
            guarded = guarded_url(rng)
            for where, text in told(guarded):
                assert not any(part in text for part in guarded.parts), f"{where}: {text!r} of {guarded.url!r}"


def told(guarded: Guarded) -> list[tuple[str, str]]:
    """Every text that is made of the URL, and by what."""
    found = [("a word of the command line", conceal(f"unexpected argument {guarded.url}", secrets_in(guarded.url)))]
    try:
        location = locate(guarded.url)
    except DatabaseError as error:
        return [*found, ("the message", str(error)), ("its cause", repr(error.__cause__))]
    found += [("shown", location.shown), ("repr", repr(location))]
    return [*found, *((message, text_of(message, guarded, location)) for message in MESSAGES)]


def text_of(message: str, guarded: Guarded, location: Location) -> str:
    known = guarded.password if location.path is not None else str(make_url(location.url).password)
    return location.conceal(message.format(u=location.url, p=known))
