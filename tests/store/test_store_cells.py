from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
from sqlalchemy import text
from store_sample import Sample

from resbench.errors import DatabaseError, LeaseLost
from resbench.store.connection.transaction import reading, writing
from resbench.store.queue.cells import (
    attempts_at,
    cells_by_id,
    claim_cell,
    close_cell,
    end_attempt,
    enqueue_cell,
    is_open,
    open_cells,
    running_cells,
)
from resbench.store.queue.leadership import take_role
from resbench.store.queue.leases import renew_leases
from resbench.store.records import Cell, Ending
from resbench.store.results.runs import find_runs, save_runs_of
from resbench.store.results.studies import put_study, put_trial, trials_of_study


def claimed(sample: Sample, worker: str = "w", lease_s: float = 60) -> Cell:
    cell = claim_cell(sample.engine, sample.study_id, worker, lease_s=lease_s)
    assert cell is not None
    return cell


def status(sample: Sample, cell_id: int) -> str:
    (cell,) = cells_by_id(sample.engine, [cell_id])
    return cell.status


def test_a_cell_goes_from_queued_over_running_to_done(sample: Sample) -> None:
    cell_id = enqueue_cell(sample.engine, sample.trial_id, [3, 1, 2])
    cell = claimed(sample, "w1")
    assert (cell.id, cell.architecture, cell.recipe, cell.data, cell.seeds) == (
        cell_id, "arch", "rec", "dat", (3, 1, 2),
    )  # fmt: skip
    assert (cell.status, cell.claimed_by, cell.token) == ("running", "w1", 1)
    assert claim_cell(sample.engine, sample.study_id, "w2") is None
    assert is_open(sample.engine, sample.study_id)
    assert end_attempt(sample.engine, cell, Ending("done", reached=9))
    assert status(sample, cell_id) == "done"
    assert not is_open(sample.engine, sample.study_id)
    (attempt,) = attempts_at(sample.engine, cell_id)
    assert (attempt.worker, attempt.outcome, attempt.reached, attempt.kind) == ("w1", "done", 9, None)
    assert attempt.ended_at is not None


def test_the_oldest_goes_first(sample: Sample) -> None:
    ids = [enqueue_cell(sample.engine, sample.trial_id, [seed]) for seed in (5, 4, 3)]
    assert [claimed(sample).id for _ in ids] == ids


def test_an_open_cell_is_not_doubled_and_a_closed_one_is_followed(sample: Sample) -> None:
    first = enqueue_cell(sample.engine, sample.trial_id, [1])
    assert enqueue_cell(sample.engine, sample.trial_id, [1]) == first
    cell = claimed(sample)
    assert enqueue_cell(sample.engine, sample.trial_id, [1]) == first
    end_attempt(sample.engine, cell, Ending("failed", "oom", "oom"))
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
    assert open_cells(sample.engine, sample.study_id) == []
    assert len(open_cells(sample.engine, sample.study_id, active=False)) == 1


def test_a_worker_claims_what_its_tags_allow(sample: Sample) -> None:
    for seed, tags in enumerate((["a100", "gpu"], ["gpu"], [])):
        enqueue_cell(sample.engine, sample.trial_id, [seed], tags=tags)
    study = sample.study_id
    assert [cell.seeds for cell in iter(lambda: claim_cell(sample.engine, study, "w"), None)] == [(2,)]
    assert [cell.seeds for cell in iter(lambda: claim_cell(sample.engine, study, "w", ["x", "gpu"]), None)] == [(1,)]
    last = claim_cell(sample.engine, study, "w", ["gpu", "big", "a100"])
    assert last is not None
    assert (last.seeds, last.tags) == ((0,), ("a100", "gpu"))


def test_a_cell_that_is_given_back_is_claimed_again_and_the_old_claim_is_refused(sample: Sample) -> None:
    cell_id = enqueue_cell(sample.engine, sample.trial_id, [1])
    old = claimed(sample, "w1")
    assert end_attempt(sample.engine, old, Ending("retry", "lost", "its worker is gone"))
    assert status(sample, cell_id) == "queued"
    with pytest.raises(LeaseLost, match=f"cell {cell_id}: was taken over"):
        save_runs_of(sample.engine, [sample.record(1)], old, sample.study_id, "k")
    new = claimed(sample, "w2")
    assert (new.id, new.token) == (old.id, old.token + 1)
    assert not end_attempt(sample.engine, old, Ending("failed", "error", "late"))
    with pytest.raises(LeaseLost):
        save_runs_of(sample.engine, [sample.record(1)], old, sample.study_id, "k")
    assert find_runs(sample.engine, "arch", "rec", "dat", [1]) == {}
    save_runs_of(sample.engine, [sample.record(1)], new, sample.study_id, "k")
    assert list(find_runs(sample.engine, "arch", "rec", "dat", [1])) == [1]
    assert end_attempt(sample.engine, new, Ending("done"))
    assert not end_attempt(sample.engine, new, Ending("done"))
    assert [a.outcome for a in attempts_at(sample.engine, cell_id)] == ["retry", "done"]


def test_a_lease_ends_unless_it_is_renewed(sample: Sample) -> None:
    enqueue_cell(sample.engine, sample.trial_id, [1])
    claimed(sample, "w", lease_s=-1)
    ((cell, over),) = running_cells(sample.engine, sample.study_id)
    assert (cell.claimed_by, over) == ("w", True)
    renew_leases(sample.engine, "another", 60)
    assert [over for _, over in running_cells(sample.engine, sample.study_id)] == [True]
    renew_leases(sample.engine, "w", 60)
    assert [over for _, over in running_cells(sample.engine, sample.study_id)] == [False]


def test_only_a_queued_cell_is_closed_as_not_wanted(sample: Sample) -> None:
    first, second = (enqueue_cell(sample.engine, sample.trial_id, [seed]) for seed in (1, 2))
    assert claimed(sample).id == first
    for cell_id in (first, second):
        close_cell(sample.engine, cell_id, "planned again")
    assert (status(sample, first), status(sample, second)) == ("running", "failed")


def test_whoever_lost_the_role_writes_nothing(sample: Sample) -> None:
    old = take_role(sample.engine, "coordinator of s", "w1", 60)
    assert old is not None
    assert take_role(sample.engine, "coordinator of s", "w2", 60) is None
    new = take_role(sample.engine, "coordinator of s", "w2", 60, gone="w1")
    assert new is not None
    assert new.token == old.token + 1
    [row] = trials_of_study(sample.engine, sample.study_id)
    with pytest.raises(LeaseLost, match="another process has become coordinator of s"):
        enqueue_cell(sample.engine, sample.trial_id, [1], role=old)
    with pytest.raises(LeaseLost):
        put_trial(sample.engine, sample.study_id, replace(row.trial, number=7), old)
    with pytest.raises(LeaseLost):
        put_study(sample.engine, "s", "{1}", "d1", old)
    assert enqueue_cell(sample.engine, sample.trial_id, [1], role=new)
    with writing(sample.engine) as connection:
        connection.execute(text("UPDATE rb_lease SET until = 0"))
    assert take_role(sample.engine, "coordinator of s", "w3", 60) is not None


def test_a_failure_keeps_its_reason(sample: Sample) -> None:
    enqueue_cell(sample.engine, sample.trial_id, [1])
    assert end_attempt(sample.engine, claimed(sample), Ending("failed", "error", "RuntimeError: [/red] <b>"))
    with reading(sample.engine) as connection:
        assert connection.execute(text("SELECT status, error FROM rb_cell")).one() == (
            "failed",
            "RuntimeError: [/red] <b>",
        )


def test_processes_that_claim_at_once_get_different_cells(sample: Sample, db: str) -> None:
    ids = [enqueue_cell(sample.engine, sample.trial_id, [seed]) for seed in range(40)]
    code = f"""
from resbench.store.queue.cells import claim_cell
from resbench.store.open import open_store
engine = open_store({db!r}, create=False)
while cell := claim_cell(engine, {sample.study_id}, "w"):
    print(cell.id)
"""
    workers = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) for _ in range(3)]
    claimed = [int(line) for worker in workers for line in worker.communicate()[0].split()]
    assert [worker.returncode for worker in workers] == [0, 0, 0]
    assert sorted(claimed) == ids
