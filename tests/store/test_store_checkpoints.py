"""Files beside the database: two are kept, a damaged one is passed over, none is left when the run is done."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from resbench.store.checkpoints import Checkpoints, checkpoint_folder, checkpoint_key
from resbench.store.tables import rb_checkpoint
from resbench.store.transaction import reading

KEY = checkpoint_key("a", "r", "d", (0, 1), "contiguous")


@pytest.fixture
def kept(engine: Engine, tmp_path: Path) -> Checkpoints:
    return Checkpoints(engine, tmp_path / "r.db.checkpoints", KEY)


def epochs(engine: Engine) -> list[int]:
    with reading(engine) as connection:
        return list(connection.execute(select(rb_checkpoint.c.epoch).order_by(rb_checkpoint.c.id)).scalars())


def test_the_two_newest_are_kept(kept: Checkpoints, engine: Engine) -> None:
    for epoch in (1, 2, 3):
        kept.save(epoch, b"epoch %d" % epoch)
    assert list(kept.load()) == [b"epoch 3", b"epoch 2"]
    assert epochs(engine) == [2, 3]
    assert sorted(path.name for path in kept.folder.iterdir()) == [f"{KEY}.2", f"{KEY}.3"]


def test_a_flipped_bit_is_seen_and_a_missing_file_too(kept: Checkpoints) -> None:
    kept.save(1, b"first")
    kept.save(2, b"second")
    (kept.folder / f"{KEY}.2").write_bytes(b"sesond")
    assert list(kept.load()) == [b"first"]
    (kept.folder / f"{KEY}.1").unlink()
    assert list(kept.load()) == []


def test_each_thing_under_way_has_its_own(kept: Checkpoints, engine: Engine) -> None:
    other = Checkpoints(engine, kept.folder, checkpoint_key("a", "r", "d", (0,), "contiguous"))
    kept.save(1, b"one")
    other.save(5, b"other")
    assert (list(kept.load()), list(other.load())) == ([b"one"], [b"other"])
    kept.drop()
    assert list(kept.load()) == []
    assert epochs(engine) == [5]
    other.drop()
    assert not kept.folder.exists()


def test_an_epoch_that_is_done_again_is_kept_once(kept: Checkpoints) -> None:
    for content in (b"a", b"b", b"c"):
        kept.save(4, content)
    assert next(iter(kept.load())) == b"c"
    kept.save(5, b"d")
    kept.save(6, b"e")
    assert list(kept.load()) == [b"e", b"d"]


def test_the_folder_lies_beside_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert checkpoint_folder(str(tmp_path / "r.db")) == tmp_path / "r.db.checkpoints"
    monkeypatch.chdir(tmp_path)
    assert checkpoint_folder("postgresql://ann@host/results") == tmp_path / "resbench.checkpoints"
