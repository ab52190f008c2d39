"""A worker with two slots, whatever the machine: seeds side by side, each run once, one at a time into the database."""

from __future__ import annotations

from pathlib import Path
from threading import Event
from threading import enumerate as enumerate_threads

import pytest
import torch
from command_line import Database, Rb
from study_sample import trials

from resbench.errors import BadInput, DatabaseError
from resbench.store.engine import open_store
from resbench.store.records import Cell
from resbench.study.job import Slots, job
from resbench.study.worker import Worker, work
from resbench.train.outcome import Epoch, Outcome

SCALED = "{use: constant_scaling, shortcut_scale: 1, branch_scale: 1}"


@pytest.fixture
def two_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Slots, "on", staticmethod(lambda device, n_runs: Slots(device, 2, 1)))


@pytest.mark.usefixtures("two_slots")
def test_equal_nets_side_by_side_are_trained_once(rb: Rb, small: Path, database: Database) -> None:
    """When two of three seeds of the first cell are saved, the second is claimed while the third still trains."""
    said = rb("study", "run", "small.yaml", f"units=[original, {SCALED}]", "seeds=3", "--json")
    assert said.status == 0
    assert [line.split("]")[0] for line in said.err.splitlines()] == ["0 cached, 3 new", "[1/3", "[2/3", "[3/3"]
    assert database.rows(
        "SELECT t.name, COUNT(*) FROM rb_study_run JOIN rb_trial t ON t.id = trial_id GROUP BY t.id"
    ) == [
        ("original", 3),
        ("constant_scaling shortcut_scale=1 branch_scale=1", 3),
    ]
    assert database.rows("SELECT status FROM rb_cell") == [("done",), ("done",)]
    assert [t.value for t in trials(database.path)] == [pytest.approx(said.json[0]["mean"])] * 2


@pytest.mark.usefixtures("two_slots")
def test_side_by_side_or_one_after_another_gives_the_same_bits(
    rb: Rb, small: Path, database: Database, ran_once: Path
) -> None:
    numbers = "SELECT unit, seed, val_error_pct, val_loss, train_loss FROM v_runs ORDER BY unit, seed"
    assert rb("study", "run", "small.yaml").status == 0
    assert database.rows(numbers) == Database(ran_once / "resbench.db").rows(numbers)


def test_slots_share_the_cores_of_a_cpu_and_are_one_on_a_device() -> None:
    for n_runs in (1, 2, 100):
        slots = Slots.on(torch.device("cpu"), n_runs)
        assert 1 <= slots.workers <= n_runs
        assert slots.threads >= 1
    assert Slots.on(torch.device("cuda"), 100).workers == 1


@pytest.mark.usefixtures("ran")
def test_a_job_is_what_its_digests_say(database: Database) -> None:
    engine = open_store(str(database.path), create=False)
    ((architecture, recipe, data),) = database.rows(
        "SELECT DISTINCT architecture, recipe, data FROM rb_run WHERE id = 1"
    )
    work = job(engine, architecture, recipe, data)
    assert (work.canonical.digest, work.recipe.digest) == (architecture, recipe)
    assert work.data.name == "digits"
    engine.dispose()
    other = database.one(f"SELECT spec FROM rb_architecture WHERE digest <> '{architecture}'")
    database.change(f"UPDATE rb_architecture SET spec = '{other}' WHERE digest = '{architecture}'")
    engine = open_store(str(database.path), create=False)
    with pytest.raises(DatabaseError, match=f"architecture {architecture}: what is stored has the digest a2_"):
        job(engine, architecture, recipe, data)
    engine.dispose()


@pytest.mark.usefixtures("ran")
def test_data_that_are_no_longer_those_of_the_study(database: Database) -> None:
    ((architecture, recipe),) = database.rows("SELECT architecture, recipe FROM rb_run WHERE id = 1")
    database.change(
        "INSERT INTO rb_data SELECT 'd1_old', name, input_shape, classes, n_train, n_val, n_test FROM rb_data"
    )
    engine = open_store(str(database.path), create=False)
    with pytest.raises(BadInput, match=r"data set digits is not the one of the study: its digest is d1_.*, not d1_old"):
        job(engine, architecture, recipe, "d1_old")
    engine.dispose()


class FailsAfterAnEpoch:
    """One cell, and a database that is gone when the next is asked for."""

    def __init__(self, cell: Cell) -> None:
        self.cells, self.told, self.begun = [cell], 0, Event()

    def claim(self) -> Cell:
        if self.cells:
            return self.cells.pop()
        assert self.begun.wait(60)
        raise DatabaseError("gone")

    def epoch(self, cell: Cell, seed: int, epoch: Epoch) -> None:
        self.told += 1
        self.begun.set()

    def saved(self, cell: Cell, seed: int, outcome: Outcome) -> None:
        raise AssertionError("nothing can be saved")

    def ended(self, cell: Cell, error: BaseException | None) -> None:
        assert str(error) == "gone"


@pytest.mark.usefixtures("ran")
def test_what_trains_stops_at_the_end_of_its_epoch_when_the_database_is_gone(database: Database) -> None:
    longer = (
        """INSERT INTO rb_recipe SELECT 'long', name, replace(spec, '"epochs": 1,', '"epochs": 1000,') FROM rb_recipe"""
    )
    database.change(longer)
    ((architecture, data),) = database.rows("SELECT architecture, data FROM rb_run WHERE id = 1")
    engine = open_store(str(database.path), create=True)
    cell = Cell(99, 99, architecture, "long", data, (7,), "running", "me", "now", None, None)
    cells, threads = FailsAfterAnEpoch(cell), set(enumerate_threads())
    with pytest.raises(DatabaseError, match="gone"):
        work(Worker(engine, 1, Slots(torch.device("cpu"), 2, 1), "e"), cells)
    for thread in set(enumerate_threads()) - threads:
        thread.join(60)
        assert not thread.is_alive()
    assert 1 <= cells.told < 1000
    engine.dispose()


@pytest.mark.usefixtures("ran")
def test_an_architecture_altered_in_the_database_ends_the_study(rb: Rb, database: Database) -> None:
    other = database.one("SELECT spec FROM rb_architecture WHERE unit = 'plain'")
    database.change(f"UPDATE rb_architecture SET spec = '{other}' WHERE unit = 'original'")
    said = rb("study", "run", "small.yaml", "seeds=3")
    assert said.status == 4
    assert "what is stored has the digest" in said.err
    assert "Traceback" not in said.err
    assert database.rows("SELECT DISTINCT status FROM rb_cell WHERE status IN ('queued', 'running')") in (
        [],
        [("queued",)],
    )
    assert said.out == ""
