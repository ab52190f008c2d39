"""`study run --checkpoints FOLDER`: whatever a person has in that folder survives, to the byte."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import Database, Rb
from decoys import KEY, place, snapshot

from resbench.store.checkpoints.mark import MARK
from resbench.store.checkpoints.place import claim, own_place
from resbench.store.open import open_store

EACH = ("recipe.epochs=2", "recipe.checkpoint_every={epochs: 1}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "outside").write_bytes(b"elsewhere")
    place(tmp_path / "here", tmp_path / "outside")
    return tmp_path / "here"


def test_a_folder_of_a_persons_files_is_refused_before_anything_is_written(rb: Rb, small: Path, folder: Path) -> None:
    before = snapshot(folder.parent)
    said = rb("study", "run", "small.yaml", "--checkpoints", "here", *EACH)
    assert said.status == 2
    assert f"{folder}: expected a new or an empty folder for checkpoints, got one that holds " in said.err
    assert snapshot(folder.parent) == before


def test_nor_is_anything_swept_where_all_is_cached(rb: Rb, ran: None, folder: Path) -> None:
    before = snapshot(folder)
    for words in (("study", "run", "small.yaml"), ("worker", "--study", "small")):
        assert rb(*words, "--checkpoints", "here").status == 2
        assert snapshot(folder) == before


def test_what_a_person_puts_into_a_folder_of_ours_survives_a_study(
    rb: Rb, small: Path, folder: Path, tmp_path: Path, database: Database
) -> None:
    engine = open_store(str(database.path), create=True)
    claim(engine, tmp_path / "ours")
    own_place(engine, tmp_path / "ours", make=True)
    engine.dispose()
    for path in folder.iterdir():
        path.rename(tmp_path / "ours" / path.name)
    before = snapshot(tmp_path / "ours")
    (tmp_path / "ours" / f"{KEY}.3.1.9.tmp").write_bytes(b"half")
    said = rb("study", "run", "small.yaml", "--checkpoints", "ours", *EACH)
    assert (said.status, "no checkpoint could be written" in said.err) == (0, False)
    assert snapshot(tmp_path / "ours") == before


def test_two_databases_in_one_folder(rb: Rb, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESBENCH_CHECKPOINTS", "shared")
    engine = open_store(str(tmp_path / "first.db"), create=True)
    claim(engine, tmp_path / "shared")
    own_place(engine, tmp_path / "shared", make=True)
    engine.dispose()
    (tmp_path / "shared" / f"{KEY}.1.1").write_bytes(b"under way in the first")
    before = snapshot(tmp_path / "shared")
    said = rb("study", "run", "small.yaml", "--db", "second.db", *EACH)
    assert said.status == 0
    assert f"{tmp_path / 'shared'} has the checkpoints of another database, {tmp_path / 'first.db'}" in said.err
    assert snapshot(tmp_path / "shared") == before
    assert rb("study", "run", "small.yaml", "--db", "first.db", *EACH).status == 0
    assert not (tmp_path / "shared").exists()


@pytest.mark.long
def test_a_folder_made_beforehand_is_left_as_it_was_found(rb: Rb, small: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    assert rb("study", "run", "small.yaml", "--checkpoints", "mine", *EACH).status == 0
    assert snapshot(tmp_path / "mine") == {}
    assert rb("study", "run", "small.yaml", "--db", "other.db", *EACH).status == 0
    assert not (tmp_path / "other.db.checkpoints").exists()
    assert not [path for path in tmp_path.iterdir() if MARK in path.name or path.name.endswith(".part")]
