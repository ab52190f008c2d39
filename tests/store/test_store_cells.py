from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
from sqlalchemy import text
from store_sample import Sample

from resbench.errors import DatabaseError
from resbench.store.cells import cell_counts, claim_cell, enqueue_cell, fail_cell, finish_cell, requeue_running
from resbench.store.studies import put_study, put_trial, trials_of_study
from resbench.store.transaction import reading


def test_a_cell_goes_from_queued_over_running_to_done(sample: Sample) -> None:
    cell_id = enqueue_cell(sample.engine, sample.trial_id, [3, 1, 2])
    cell = claim_cell(sample.engine, sample.study_id, "w1")
    assert cell is not None
    assert (cell.id, cell.architecture, cell.recipe, cell.data, cell.seeds) == (
        cell_id,
        "arch",
        "rec",
        "dat",
        (3, 1, 2),
    )
    assert (cell.status, cell.claimed_by) == ("running", "w1")
    assert claim_cell(sample.engine, sample.study_id, "w2") is None
    assert finish_cell(sample.engine, cell)
    assert cell_counts(sample.engine, sample.study_id) == {"queued": 0, "running": 0, "done": 1, "failed": 0}


def test_the_oldest_goes_first(sample: Sample) -> None:
    ids = [enqueue_cell(sample.engine, sample.trial_id, [seed]) for seed in (5, 4, 3)]
    claimed = [claim_cell(sample.engine, sample.study_id, "w") for _ in ids]
    assert [cell.id for cell in claimed if cell] == ids


def test_an_open_cell_is_not_doubled_and_a_closed_one_is_followed(sample: Sample) -> None:
    first = enqueue_cell(sample.engine, sample.trial_id, [1])
    assert enqueue_cell(sample.engine, sample.trial_id, [1]) == first
    cell = claim_cell(sample.engine, sample.study_id, "w")
    assert cell is not None
    assert enqueue_cell(sample.engine, sample.trial_id, [1]) == first
    fail_cell(sample.engine, cell, "oom")
    assert enqueue_cell(sample.engine, sample.trial_id, [1]) != first


def test_a_cell_of_no_trial_is_refused(sample: Sample) -> None:
    with pytest.raises(DatabaseError, match="no trial has the id 99"):
        enqueue_cell(sample.engine, 99, [1])


def test_cells_of_another_study_or_of_a_trial_no_longer_wanted_are_not_claimed(sample: Sample) -> None:
    enqueue_cell(sample.engine, sample.trial_id, [1])
    assert claim_cell(sample.engine, put_study(sample.engine, "other", "{}", "d"), "w") is None
    [row] = trials_of_study(sample.engine, sample.study_id)
    put_trial(sample.engine, sample.study_id, replace(row.trial, active=False))
    assert claim_cell(sample.engine, sample.study_id, "w") is None


def test_what_a_dead_process_left_is_claimed_again_and_the_old_claim_is_refused(sample: Sample) -> None:
    enqueue_cell(sample.engine, sample.trial_id, [1])
    old = claim_cell(sample.engine, sample.study_id, "w1")
    assert requeue_running(sample.engine, sample.study_id) == 1
    assert requeue_running(sample.engine, sample.study_id) == 0
    assert old is not None
    assert not finish_cell(sample.engine, old)
    new = claim_cell(sample.engine, sample.study_id, "w2")
    assert new is not None
    assert new.id == old.id
    assert not fail_cell(sample.engine, old, "late")
    assert finish_cell(sample.engine, new)
    assert not finish_cell(sample.engine, new)


def test_requeueing_touches_no_other_study(sample: Sample) -> None:
    enqueue_cell(sample.engine, sample.trial_id, [1])
    claim_cell(sample.engine, sample.study_id, "w")
    assert requeue_running(sample.engine, put_study(sample.engine, "other", "{}", "d")) == 0


def test_a_failure_keeps_its_reason(sample: Sample) -> None:
    enqueue_cell(sample.engine, sample.trial_id, [1])
    cell = claim_cell(sample.engine, sample.study_id, "w")
    assert cell is not None
    assert fail_cell(sample.engine, cell, "RuntimeError: [/red] <b>")
    with reading(sample.engine) as connection:
        assert connection.execute(text("SELECT status, error FROM rb_cell")).one() == (
            "failed",
            "RuntimeError: [/red] <b>",
        )


def test_processes_that_claim_at_once_get_different_cells(sample: Sample, db: str) -> None:
    ids = [enqueue_cell(sample.engine, sample.trial_id, [seed]) for seed in range(40)]
    code = f"""
from resbench.store.cells import claim_cell
from resbench.store.engine import open_store
engine = open_store({db!r}, create=False)
while cell := claim_cell(engine, {sample.study_id}, "w"):
    print(cell.id)
"""
    workers = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) for _ in range(3)]
    claimed = [int(line) for worker in workers for line in worker.communicate()[0].split()]
    assert [worker.returncode for worker in workers] == [0, 0, 0]
    assert sorted(claimed) == ids
