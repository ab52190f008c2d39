from __future__ import annotations

from pathlib import Path

import pytest

from resbench.errors import DatabaseError
from resbench.store.engine import open_store
from resbench.store.location import hide_password, locate


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


def test_read_only_wins_over_every_mode() -> None:
    assert locate("sqlite:////tmp/x.db?mode=ro").sqlite_uri("rwc").endswith("?mode=ro")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "names no database"),
        ("a\0b", "names no database"),
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


@pytest.mark.parametrize("password", ["secret", "se:cret", "se@cret", "se/cret"])
def test_a_password_is_never_shown(password: str) -> None:
    location = locate(f"postgresql://ann:{password}@host:5432/x")
    assert location.shown == "postgresql://ann:***@host:5432/x"
    assert "cret" not in hide_password(f"no answer: postgresql://ann:{password}@host")


def test_opening_a_server_that_cannot_be_reached_shows_no_password() -> None:
    with pytest.raises(DatabaseError) as caught:
        open_store("postgresql://ann:secret@127.0.0.1:1/x", create=False)
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
