from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine, text
from store_sample import Sample

from resbench.errors import DatabaseError
from resbench.store.connection.transaction import reading, writing
from resbench.store.records import ArchitectureRecord, EpochRecord, RunRecord
from resbench.store.results import reading as rows
from resbench.store.results.catalogue import put_architecture
from resbench.store.results.runs import Rung, find_runs, link_run, save_run, write_run


def dump(engine: Engine) -> list[object]:
    with reading(engine) as connection:
        tables = ("rb_run", "rb_epoch", "rb_test_score", "rb_study_run")
        return [tuple(row) for table in tables for row in connection.execute(text(f"SELECT * FROM {table}"))]


def test_what_was_saved_is_found(sample: Sample) -> None:
    run_id = save_run(sample.engine, sample.record(7))
    row = find_runs(sample.engine, "arch", "rec", "dat", [1, 7])[7]
    assert (row.id, row.status, row.val_error_pct, row.epochs, row.train_s) == (run_id, "complete", 5.0, 2, 1.0)


def test_seeds_come_in_the_order_asked_and_by_hundreds(sample: Sample) -> None:
    for seed in (3, 1, 2):
        save_run(sample.engine, sample.record(seed))
    assert list(find_runs(sample.engine, "arch", "rec", "dat", [2, *range(10_000, 12_000), 3, 1])) == [2, 3, 1]
    assert find_runs(sample.engine, "arch", "rec", "other", [1]) == {}
    assert find_runs(sample.engine, "arch", "rec", "dat", []) == {}


@pytest.mark.parametrize("seed", [0, 2**63 - 1])
def test_the_smallest_and_the_largest_seed(sample: Sample, seed: int) -> None:
    save_run(sample.engine, sample.record(seed))
    assert list(find_runs(sample.engine, "arch", "rec", "dat", [seed])) == [seed]


@pytest.mark.parametrize("status", ["complete", "diverged"])
def test_a_finished_run_is_never_rewritten(sample: Sample, status: str) -> None:
    first = save_run(sample.engine, sample.record(1, status=status))
    before = dump(sample.engine)
    for second in ("complete", "diverged", "stopped", "failed"):
        other = replace(sample.record(1, status=second, val_error_pct=99.0), history=(EpochRecord(9),), test_score=None)
        assert save_run(sample.engine, other) == first
    assert dump(sample.engine) == before


def test_a_run_that_a_rung_stopped_gives_way_to_itself_further_on_alone(sample: Sample) -> None:
    first = save_run(sample.engine, replace(sample.record(1, status="stopped"), epochs=2))
    before = dump(sample.engine)
    for status in ("stopped", "failed"):
        assert save_run(sample.engine, replace(sample.record(1, status=status, val_error_pct=99.0), epochs=2)) == first
    assert dump(sample.engine) == before
    assert find_runs(sample.engine, "arch", "rec", "dat", [1]) == {}
    assert list(find_runs(sample.engine, "arch", "rec", "dat", [1], rung=Rung(2))) == [1]
    assert find_runs(sample.engine, "arch", "rec", "dat", [1], rung=Rung(3)) == {}
    assert save_run(sample.engine, replace(sample.record(1, status="stopped"), epochs=4)) == first
    assert list(find_runs(sample.engine, "arch", "rec", "dat", [1], rung=Rung(3))) == [1]
    assert save_run(sample.engine, replace(sample.record(1, status="diverged"), epochs=3)) == first
    assert find_runs(sample.engine, "arch", "rec", "dat", [1])[1].status == "diverged"


def test_a_failed_run_gives_way_under_its_id(sample: Sample) -> None:
    failed = replace(sample.record(1, status="failed", val_error_pct=None), error="killed", history=(EpochRecord(5),))
    first = save_run(sample.engine, failed)
    assert find_runs(sample.engine, "arch", "rec", "dat", [1]) == {}
    link_run(sample.engine, sample.study_id, sample.trial_id, first)
    assert save_run(sample.engine, sample.record(1)) == first
    detail = rows.run_detail(sample.engine, first)
    assert (detail.run.status, detail.run.error, [e.epoch for e in detail.epochs]) == ("complete", None, [1, 2])
    assert [run.status for run in rows.runs_of_study(sample.engine, "s")] == ["complete"]


def test_numbers_that_are_not_finite_are_stored_as_nothing(sample: Sample) -> None:
    record = replace(
        sample.record(1, status="diverged", val_error_pct=float("nan")),
        train_loss=float("inf"),
        history=(EpochRecord(1, lr=0.1, train_loss=float("nan"), val_loss=float("-inf")),),
    )
    detail = rows.run_detail(sample.engine, save_run(sample.engine, record))
    assert (detail.run.val_error_pct, detail.run.train_loss) == (None, None)
    assert detail.epochs == (EpochRecord(1, lr=0.1),)


@pytest.mark.parametrize(
    "change",
    [{"seed": -1}, {"seed": 2**63}, {"status": "done"}, {"val_error_pct": None}, {"val_error_pct": float("inf")}],
)
def test_what_no_run_can_be_is_refused(sample: Sample, change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"allowed|finite"):
        replace(sample.record(1), **change)


@pytest.mark.parametrize("name", ["architecture", "recipe", "data", "environment"])
def test_a_run_of_what_is_not_in_the_store_is_refused_whole(sample: Sample, name: str) -> None:
    with pytest.raises(DatabaseError, match=r"a row was refused: .*(?i:foreign key)"):
        save_run(sample.engine, replace(sample.record(1), **{name: "nowhere"}))
    assert dump(sample.engine) == []


def test_a_run_is_saved_with_its_epochs_or_not_at_all(sample: Sample) -> None:
    with pytest.raises(DatabaseError, match="a row was refused"):
        save_run(sample.engine, replace(sample.record(1), history=(EpochRecord(1), EpochRecord(1))))
    assert dump(sample.engine) == []


def test_the_database_itself_refuses_a_complete_run_without_a_number(sample: Sample) -> None:
    run_id = save_run(sample.engine, sample.record(1))
    with pytest.raises(DatabaseError, match="ck_rb_run_complete"), writing(sample.engine) as connection:
        connection.execute(text(f"UPDATE rb_run SET val_error_pct = NULL WHERE id = {run_id}"))


def test_a_run_can_be_written_inside_a_wider_transaction(sample: Sample) -> None:
    with pytest.raises(RuntimeError), writing(sample.engine) as connection:  # noqa: PT012
        write_run(connection, sample.record(1))
        raise RuntimeError
    assert dump(sample.engine) == []


def test_linking_twice_changes_nothing(sample: Sample) -> None:
    run_id = sample.add(sample.record(1))
    before = dump(sample.engine)
    link_run(sample.engine, sample.study_id, sample.trial_id, run_id)
    assert dump(sample.engine) == before


def test_the_same_identity_with_another_part_is_another_run(sample: Sample) -> None:
    put_architecture(sample.engine, ArchitectureRecord("other", "resnet20", "post", "{}", 1))
    ids = {save_run(sample.engine, sample.record(seed, architecture=a)) for seed in (1, 2) for a in ("arch", "other")}
    assert len(ids) == 4


def test_a_record_needs_no_numbers(sample: Sample) -> None:
    record = RunRecord("arch", "rec", "dat", 1, "failed", sample.environment, error="segmentation fault")
    assert rows.run_detail(sample.engine, save_run(sample.engine, record)).run.error == "segmentation fault"
