from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from postgres_server import OWNER, Server
from sqlalchemy import make_url, text

from resbench.errors import BadInput, DatabaseError
from resbench.store.connection.location import FOUND, locate
from resbench.store.connection.transaction import reading
from resbench.store.open import open_store
from resbench.store.results.studies import get_study


@pytest.mark.parametrize("text", ["results.db", "sqlite:///results.db", "sqlite+pysqlite:///results.db"])
def test_a_relative_path_is_taken_from_here(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert locate(text).path == tmp_path / "results.db"


def test_a_path_with_signs_of_urls_is_kept() -> None:
    location = locate("/tmp/a b%20#?.db")
    assert location.path == Path("/tmp/a b%20#?.db")
    assert location.sqlite_uri("ro") == "file:/tmp/a%20b%2520%23%3F.db?mode=ro"


def test_a_file_with_odd_signs_in_its_name_is_made_under_that_name(tmp_path: Path) -> None:
    path = tmp_path / "a b%20#?;é.db"
    open_store(str(path), create=True).dispose()
    assert path.is_file()
    open_store(str(path), create=False).dispose()


def test_a_file_whose_name_is_no_utf8(tmp_path: Path) -> None:
    """As the command line gives one: with a half of a pair for each byte."""
    path = tmp_path / os.fsdecode(b"a\xff.db")
    open_store(str(path), create=True).dispose()
    assert [os.fsencode(one.name) for one in tmp_path.iterdir()] == [b"a\xff.db"]
    open_store(str(path), create=False).dispose()


@pytest.mark.parametrize("create", [False, True])
def test_a_name_that_is_too_long(create: bool, tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match=r"aaa\.\.\.: cannot be a database: File name too long"):
        open_store(str(tmp_path / ("a" * 5000)), create=create)


def test_a_name_that_leaves_no_room_for_a_journal(tmp_path: Path) -> None:
    """Of 250 bytes a file can be named, but nothing could ever be written to such a database: no empty file is left."""
    with pytest.raises(DatabaseError, match="cannot be a database: File name too long"):
        open_store(str(tmp_path / ("a" * 250)), create=True)
    assert list(tmp_path.iterdir()) == []


def test_read_only_wins_over_every_mode() -> None:
    assert locate("sqlite:////tmp/x.db?mode=ro").sqlite_uri("rwc").endswith("?mode=ro")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "got no name of a database"),
        ("a\0b", "got no name of a database"),
        ("sqlite://", "in memory"),
        (":memory:", "in memory"),
        ("sqlite:///x.db?cache=shared", "unknown option"),
        ("mysql://ann:secret@host/x", "unknown kind of database 'mysql'"),
        ("sqlte:///x.db", "did you mean `sqlite`"),
        ("postgresql+pg8000://ann:secret@host/x", "unknown kind of database"),
    ],
)
def test_what_names_no_database_is_refused(text: str, words: str) -> None:
    with pytest.raises(DatabaseError, match=words) as caught:
        locate(text)
    assert caught.value.exit_status == 4
    assert "secret" not in str(caught.value)


PASSWORDS = ("secret", "se:cret", "se@cret", "se/cret", "se%40cret", "se%cret", "se cret", "se+cret", "'se cret'")


@pytest.mark.parametrize("password", PASSWORDS)
def test_a_password_is_never_shown_and_reaches_the_driver_as_it_is(password: str) -> None:
    location = locate(f"postgresql://ann:{password}@host:5432/x")
    assert location.shown == "postgresql://host:5432/x"
    assert make_url(location.url).password == unquote(password)
    assert make_url(location.url).host == "host"
    assert "cret" not in repr(location)
    assert "cret" not in location.conceal(f"no answer for {unquote(password)} at {location.url}")


NO_URL = (
    "postgresql:/ann:secret@host/x", "postgres:ann:secret@host/x", "postgresql:///ann:secret/x:y@/z/", "ann:secret@host/x",
    "//ann:secret@host/x", "host=h user=ann password=secret", "password='secret' host=h", "host=h;password=secret",
    "postgresql://ann:secret", "postgresql://ann:secret/x", "postgresql://ann:sec?ret@host/secret", "sqlite:ann:secret@x",
    "postgresql://ann@host:secret/x", "postgresql://host/x?secret", "sqlite:///ann:secret@host/x", "mysql://ann:secret@h/x",
    "postgresql://ann:secret@host/x/secret", "postgresql://ann:secret@host/postgresql://b:secret@c/x#", "https://a:secret@b/c",
    "sqlite:///x.db?password=secret", "postgresql://ann:secret@ho st/x", "postgresql://ann:x@host/x#secret", "sslpassword=secret",
    "postgresql;//ann:secret@host/x", "pg//ann:secret@host/x", "psql postgresql://ann:secret@host/x", "ann:x/secret@host/x",
    "ann:/secret@host/x", "passphrase=secret", "hostaddr=h,password=secret", "sqlite:///ann:secret?@host/x", "sqlite:///x.db?secret",
    "postgresql://ann:123?a=secret@host/x", "ann:secret@x://host/x", "postgres:ann:secret@host/x/y",
)  # fmt: skip


@pytest.mark.parametrize("text", NO_URL)
def test_what_cannot_be_read_as_a_url_is_not_shown_at_all(text: str) -> None:
    with pytest.raises(DatabaseError) as caught:
        locate(text)
    assert not {"secret", "ret@", "ann"} & set(re.split(r"[^a-z@]+", str(caught.value)))


OPTIONS = (
    "password=se%63ret&password=secret",
    "sslpassword=secret%27&a=secret",
    "password=secret",
    "sslpassword=secret",
    "PASSWORD=secret",
    "options=-csecret",
    "passfile=/secret",
    "sslmode=require&password=s",
)


@pytest.mark.parametrize("options", OPTIONS)
def test_options_of_a_url_are_not_shown(options: str) -> None:
    location = locate(f"postgresql://host/x?{options}")
    assert location.shown == "postgresql://host/x"
    value = options.rpartition("=")[2]
    assert location.conceal(location.url).count(value) == 0 or value == "s"
    assert value in location.secrets or value.startswith("-c")
    assert f" {value} " not in location.conceal(f"what is {value} here")


@pytest.mark.parametrize(
    ("options", "after", "rest"),
    [
        ("", FOUND, ""),
        ("?sslmode=require", FOUND, "?sslmode=require"),
        ("?prepare_threshold=0", 0, ""),
        ("?prepare_threshold=None", 0, ""),
        ("?sslmode=require&prepare%5Fthreshold=7&connect_timeout=3", 7, "?sslmode=require&connect_timeout=3"),
    ],
)
def test_what_psycopg_takes_as_a_number_is_taken_out_of_the_url(options: str, after: int, rest: str) -> None:
    location = locate(f"postgresql://ann@host/x{options}")
    assert (location.prepare_after, location.url) == (after, f"postgresql+psycopg://ann@host/x{rest}")
    assert location.sets("connect_timeout") is ("connect_timeout" in rest)


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("prepare_threshold=five", "--db: prepare_threshold: expected the number of uses"),
        ("prepare_threshold=-1", "--db: prepare_threshold: expected the number of uses"),
        ("prepare_threshold=", "--db: prepare_threshold: expected the number of uses"),
        ("autocommit=false", "--db: autocommit: expected no such option in the URL of a server"),
        ("row_factory=dict", "--db: row_factory: expected no such option in the URL of a server"),
    ],
)
def test_an_option_that_no_text_can_set_rightly_is_refused(option: str, words: str) -> None:
    with pytest.raises(DatabaseError, match=re.escape(words)):
        locate(f"postgresql://ann@host/x?{option}")


@pytest.mark.parametrize(
    "name",
    [
        "./ann:secret@host",
        "data//a.db",
        "C:/a:b@c.db",
        "./host=x.db",
        "/data/a:b@c.db",
        "a@b.db",
        "results:1.db",
        "C:results.db",
        "x=1.db",
        "./a:b@c.db",
    ],
)
def test_files_with_such_signs_in_their_names_are_files(name: str) -> None:
    assert locate(name).path == Path(name).absolute()


def test_a_secret_with_spaces_at_its_end_is_hidden_in_a_message_of_several_lines() -> None:
    location = locate("postgresql://ann:secret%20%20@host/x")
    assert location.conceal("no entry:\n  secret  \n  in secret  ") == "no entry: *** in ***"


def test_opening_a_server_that_cannot_be_reached_shows_no_password() -> None:
    with pytest.raises(DatabaseError) as caught:
        open_store("postgresql://ann:secret@127.0.0.1:1/x?sslpassword=other", create=False)
    assert not {"secret", "other", "ann"} & set(str(caught.value).replace("/", " ").split())
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("name", ["my results", "50%25 off"])
def test_a_server_database_is_named_in_errors_however_its_name_is_written(name: str, server: Server) -> None:
    """What is shown comes from what was given: the URL that an engine writes out again need not be read."""
    server.run(f'CREATE DATABASE "{unquote(name)}" TEMPLATE template0 OWNER {OWNER}')
    try:
        url = f"postgresql://{OWNER}@/{name.replace(' ', '%20')}?host={server.folder}"
        engine = open_store(url, create=True)
        with pytest.raises(BadInput, match="no study"):
            get_study(engine, "absent")
        with pytest.raises(DatabaseError, match="nowhere") as caught, reading(engine) as connection:
            connection.execute(text("SELECT * FROM nowhere"))
        assert str(caught.value).startswith(f"postgresql:///{name.replace(' ', '%20')}: ")
        engine.dispose()
    finally:
        server.run(f'DROP DATABASE "{unquote(name)}"')
