"""No command prints the password of a database, however its URL is written and wherever it is given."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from command_line import Rb, say

HOST = "127.0.0.1:1"  # nobody answers there
URLS = (
    f"postgresql://ann:secret@{HOST}/x", f"postgres://ann:secret@{HOST}/x", f"postgresql+psycopg://ann:secret@{HOST}/x",
    f"postgresql://ann:se%63ret@{HOST}/x", f"postgresql://ann:p@secret@{HOST}/x", f"postgresql://ann:p/secret@{HOST}/x",
    f"postgresql://ann:p:secret@{HOST}/x", f"postgresql://ann:p?secret@{HOST}/x", f"postgresql://ann:p#secret@{HOST}/x",
    f"postgresql://:secret@{HOST}/x", f"postgresql://ann:secret@{HOST}", f"postgresql://ann:secret@{HOST}/",
    f"postgresql://ann@{HOST}/x?password=secret", f"postgresql://{HOST}/x?user=ann&password=secret",
    f"postgresql://ann@{HOST}/x?sslpassword=secret", f"postgresql://ann@{HOST}/x?PASSWORD=secret",
    f"postgresql://ann@{HOST}/x?password=se%63ret", f"postgresql://ann@{HOST}/x?options=-csecret",
    f"postgresql://ann@{HOST}/x?pasword=secret", f"postgresql://ann@{HOST}/x?secret", f"postgresql://ann@{HOST}/x?a=b&password=secret",
    f"postgresql:/ann:secret@{HOST}/x", f"postgresql:///ann:secret@{HOST}/x", f"postgresql:ann:secret@{HOST}/x",
    f"postgresql//ann:secret@{HOST}/x", f"postgresql;//ann:secret@{HOST}/x", f"postgreql://ann:secret@{HOST}/x",
    f"ann:secret@{HOST}/x", f"//ann:secret@{HOST}/x", f" postgresql://ann:secret@{HOST}/x", f"postgresql://ann:secret@{HOST}:y/x",
    "postgresql://ann:secret@[::1]:1/x", "postgresql://ann:secret@ho st/x", "postgresql://ann:secret@a,b/x",
    "host=h user=ann password=secret", "host=h password='my secret' dbname=x", "password=secret", "dbname=x;password=secret",
    f"mysql://ann:secret@{HOST}/x", f"sqlite://ann:secret@{HOST}/x", f"sqlite:///ann:secret@{HOST}/x",
    "sqlite:///x.db?password=secret", f"https://ann:secret@{HOST}/x",
)  # fmt: skip
FULL = os.environ.get("RESBENCH_FUZZ") == "full"  # else each URL meets some of the commands in turn
COMMANDS = (  # {} is the URL
    ("results", "top", "s", "--db", "{}"),
    ("db", "check", "--db", "{}"),
    ("db", "backup", "{}"),
    ("db", "merge", "resbench.db", "{}"),
    ("db", "merge", "{}", "resbench.db"),
    ("db", "merge", "resbench.db", "resbench.db", "-o", "{}"),
    ("results", "export", "small", "-o", "{}"),
    ("results", "freeze", "small", "-o", "{}"),
    ("query", "SELECT 1", "--db", "{}"),
    ("query", "SELECT 1", "{}"),
    ("results", "top", "{}"),
    ("study", "check", "{}"),
    ("study", "status", "s", "--db={}", "--nonsense"),
    ("worker", "--db", "{}"),
)


def test_there_are_as_many_ways_as_were_tried() -> None:
    assert len(URLS) == len(set(URLS)) == 43


@pytest.mark.parametrize("url", URLS)
def test_no_command_prints_it(url: str, ran_once: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("RESBENCH_DB", raising=False)
    (tmp_path / "resbench.db").write_bytes((ran_once / "resbench.db").read_bytes())
    start = 0 if FULL else URLS.index(url)
    for command in COMMANDS[start % len(COMMANDS) :: 1 if FULL else 4]:
        said = say([word.format(url) for word in command], tmp_path)
        assert "secret" not in said.out + said.err, (command, said)
        assert "%63" not in said.out + said.err, (command, said)


def test_nor_does_it_print_that_of_the_environment(rb: Rb, monkeypatch: pytest.MonkeyPatch) -> None:
    for url in URLS:
        monkeypatch.setenv("RESBENCH_DB", url)
        said = rb("results", "list")
        assert said.status in (2, 4)
        assert "secret" not in said.out + said.err, (url, said)


def test_a_trace_has_none_either(rb: Rb, monkeypatch: pytest.MonkeyPatch) -> None:
    """What no command foresees is printed by Python, with the values in its message."""

    def fail(url: str, **rest: object) -> None:
        raise RuntimeError(f"nobody foresaw {url}")

    monkeypatch.setattr("resbench.store.open.locate", fail)
    said = rb("results", "top", "s", "--db", URLS[0])
    assert said.status == 1
    assert "Traceback" in said.err
    assert "nobody foresaw postgresql://ann:***@" in said.err
    assert "secret" not in said.err
