"""Files beside the database: two are kept, a damaged one is passed over, none is left when the run is done."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, text
from store_sample import Sample

from resbench.errors import LeaseLost, StorageError
from resbench.store.checkpoints.mark import MARK
from resbench.store.checkpoints.place import claim
from resbench.store.connection.transaction import reading, writing
from resbench.store.queue.cells import claim_cell, end_attempt, enqueue_cell
from resbench.store.records import Ending
from resbench.store.results.checkpoints import Checkpoints, checkpoint_folder, checkpoint_key, sweep
from resbench.store.schema.work_tables import rb_checkpoint

KEY = checkpoint_key("a", "r", "d", (0, 1), "contiguous")


@pytest.fixture
def kept(sample: Sample, tmp_path: Path) -> Checkpoints:
    """Of a cell that is claimed for the first time, in a folder that its database has claimed."""
    enqueue_cell(sample.engine, sample.trial_id, [0, 1])
    cell = claim_cell(sample.engine, sample.study_id, "w")
    assert cell is not None
    claim(sample.engine, tmp_path / "r.db.checkpoints")
    return Checkpoints(sample.engine, tmp_path / "r.db.checkpoints", KEY, cell)


def taken_over(kept: Checkpoints, sample: Sample) -> Checkpoints:
    """The same under the next claim."""
    end_attempt(kept.engine, kept.cell, Ending("retry", "lost", "gone"))
    cell = claim_cell(sample.engine, sample.study_id, "w2")
    assert cell is not None
    return replace(kept, cell=cell)


def names(kept: Checkpoints) -> list[str]:
    return sorted(path.name for path in kept.folder.iterdir())


def epochs(engine: Engine) -> list[int]:
    with reading(engine) as connection:
        return list(connection.execute(select(rb_checkpoint.c.epoch).order_by(rb_checkpoint.c.id)).scalars())


def test_the_two_newest_are_kept(kept: Checkpoints, engine: Engine) -> None:
    for epoch in (1, 2, 3):
        kept.save(epoch, b"epoch %d" % epoch)
    assert list(kept.load()) == [b"epoch 3", b"epoch 2"]
    assert epochs(engine) == [2, 3]
    assert names(kept) == [MARK, f"{KEY}.2.1", f"{KEY}.3.1"]


def test_a_flipped_bit_is_seen_and_a_missing_file_too(kept: Checkpoints) -> None:
    kept.save(1, b"first")
    kept.save(2, b"second")
    (kept.folder / f"{KEY}.2.1").write_bytes(b"sesond")
    assert list(kept.load()) == [b"first"]
    (kept.folder / f"{KEY}.1.1").unlink()
    assert list(kept.load()) == []


def test_each_thing_under_way_has_its_own(kept: Checkpoints, engine: Engine) -> None:
    other = replace(kept, key=checkpoint_key("a", "r", "d", (0,), "contiguous"))
    kept.save(1, b"one")
    other.save(5, b"other")
    assert (list(kept.load()), list(other.load())) == ([b"one"], [b"other"])
    kept.forget()
    assert list(kept.load()) == []
    assert epochs(engine) == [5]
    other.forget()
    assert names(kept) == [MARK]


def test_an_epoch_that_is_done_again_is_kept_once(kept: Checkpoints) -> None:
    for content in (b"a", b"b", b"c"):
        kept.save(4, content)
    assert next(iter(kept.load())) == b"c"
    kept.save(5, b"d")
    kept.save(6, b"e")
    assert list(kept.load()) == [b"e", b"d"]


def test_the_next_claim_goes_on_and_the_one_before_overwrites_nothing(kept: Checkpoints, sample: Sample) -> None:
    kept.save(1, b"mine")
    new = taken_over(kept, sample)
    assert list(new.load()) == [b"mine"]
    new.save(2, b"ours")
    with pytest.raises(LeaseLost):
        kept.save(2, b"late")
    with pytest.raises(LeaseLost):
        kept.forget()
    assert list(new.load()) == [b"ours", b"mine"]
    new.forget()
    assert names(new) == [MARK]


@contextmanager
def no_file_over(size: int) -> Iterator[None]:
    """As a full disc: writing fails beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_where_there_is_no_room_the_one_before_serves_and_nothing_half_written_lies_there(kept: Checkpoints) -> None:
    kept.save(1, b"small")
    with no_file_over(1_000_000), pytest.raises(StorageError, match="no checkpoint could be written: File too large"):
        kept.save(2, bytes(2_000_000))
    assert list(kept.load()) == [b"small"]
    assert names(kept) == [MARK, f"{KEY}.1.1"]
    kept.save(3, bytes(2_000_000))
    assert next(iter(kept.load())) == bytes(2_000_000)


def test_a_row_that_names_a_file_elsewhere_reads_nothing_there(kept: Checkpoints, tmp_path: Path) -> None:
    kept.save(1, b"content")
    (kept.folder / f"{KEY}.1.1").rename(tmp_path / "elsewhere")
    with writing(kept.engine) as connection:
        connection.execute(text("UPDATE rb_checkpoint SET path = :path"), {"path": str(tmp_path / "elsewhere")})
    assert list(kept.load()) == []


def test_files_that_no_row_tells_of_are_swept_while_nothing_runs(kept: Checkpoints) -> None:
    kept.save(1, b"content")
    (kept.folder / f"{KEY}.2.1.{os.getpid()}.tmp").write_bytes(b"half")
    assert sweep(kept.engine, kept.folder) == 0
    end_attempt(kept.engine, kept.cell, Ending("retry", "lost", "gone"))
    assert sweep(kept.engine, kept.folder) == 1
    assert list(kept.load()) == [b"content"]


def test_the_folder_lies_beside_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert checkpoint_folder(str(tmp_path / "r.db")) == tmp_path / "r.db.checkpoints"
    monkeypatch.chdir(tmp_path)
    assert checkpoint_folder("postgresql://ann@host/results") == tmp_path / "resbench.checkpoints"
    assert checkpoint_folder("postgresql://ann@host/results", "there") == tmp_path / "there"
