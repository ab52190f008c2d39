from __future__ import annotations

from dataclasses import asdict, fields

import pytest
from sqlalchemy import text
from store_sample import ENVIRONMENT, Sample

from resbench.errors import BadInput, DatabaseError
from resbench.store.connection.transaction import writing
from resbench.store.open import open_store
from resbench.store.results import reading
from resbench.store.results.runs import link_run
from resbench.store.results.studies import put_study
from resbench.store.schema.views import V_EPOCHS, V_RUNS


def test_a_study_run_is_a_row_of_the_view() -> None:
    assert [field.name for field in fields(reading.StudyRun)] == [name for name, _ in V_RUNS.columns]


def test_runs_come_by_trial_and_seed_with_their_cost(sample: Sample) -> None:
    other = sample.trial(1, "other", "b")
    sample.add(sample.record(0, architecture="b"), other)
    for seed in (2, 1):
        sample.add(sample.record(seed))
    runs = reading.runs_of_study(sample.engine, "s")
    assert [(run.unit, run.seed, run.params, run.macs) for run in runs] == [
        ("pre", 1, 1000, 5000),
        ("pre", 2, 1000, 5000),
        ("other", 0, 1000, None),
    ]
    assert runs[0].active is True


def test_a_study_without_runs_is_empty_and_an_unknown_one_an_error(sample: Sample) -> None:
    assert reading.runs_of_study(sample.engine, "s") == []
    for ask in (reading.runs_of_study, reading.reveals):
        with pytest.raises(BadInput, match="no study 'sss'"):
            ask(sample.engine, "sss")


def test_a_run_is_told_with_where_it_came_from(sample: Sample) -> None:
    run_id = sample.add(sample.record(1))
    detail = reading.run_detail(sample.engine, run_id)
    assert (detail.architecture.spec, detail.recipe.name, detail.data.name) == ('{"n":1}', "paper", "digits")
    assert (detail.environment, detail.macs, detail.studies) == (ENVIRONMENT, 5000, (("s", "pre"),))
    assert [(epoch.epoch, epoch.lr) for epoch in detail.epochs] == [(1, 0.1), (2, 0.05)]
    assert "test_error" not in str(asdict(detail))


def test_an_unknown_run_is_told(sample: Sample) -> None:
    with pytest.raises(BadInput, match="no run 77 in"):
        reading.run_detail(sample.engine, 77)


def test_looking_at_test_scores_is_written_down(sample: Sample) -> None:
    sample.add(sample.record(0))
    sample.add(sample.record(1))
    sample.add(sample.record(2, status="diverged", val_error_pct=90.0))
    assert reading.reveals(sample.engine, "s") == []
    scores = reading.test_scores(sample.engine, "s", "ann: results top --test")
    assert [(s.unit, s.digest, s.seed, s.test_error_pct) for s in scores] == [
        ("pre", "arch", 0, 6.0),
        ("pre", "arch", 1, 7.0),
    ]
    assert [reveal.revealed_by for reveal in reading.reveals(sample.engine, "s")] == ["ann: results top --test"]
    reading.test_scores(sample.engine, "s", "bob")
    assert [reveal.revealed_by for reveal in reading.reveals(sample.engine, "s")] == ["ann: results top --test", "bob"]


def test_where_there_is_nothing_to_see_nothing_was_seen(sample: Sample) -> None:
    assert reading.test_scores(sample.engine, "s", "ann") == []
    assert reading.reveals(sample.engine, "s") == []


@pytest.mark.sqlite
def test_no_scores_without_a_record_of_it(sample: Sample, db: str) -> None:
    sample.add(sample.record(0))
    store = open_store(f"sqlite:///{db}?mode=ro", create=False)
    with pytest.raises(DatabaseError, match="read-only"):
        reading.test_scores(store, "s", "ann")
    store.dispose()
    with writing(sample.engine) as connection:
        connection.execute(text("DROP TABLE rb_reveal"))
    with pytest.raises(DatabaseError, match="no such table"):
        reading.test_scores(sample.engine, "s", "ann")


def test_studies_are_listed_with_the_number_of_their_runs(sample: Sample) -> None:
    put_study(sample.engine, "empty", "{}", "d1")
    other = sample.trial(1, "again")  # the same run under two names is one run
    for seed in range(3):
        run = sample.add(sample.record(seed, status="failed" if seed == 2 else "complete"))
    link_run(sample.engine, sample.study_id, other, run)
    assert [(found.study, found.runs) for found in reading.list_studies(sample.engine)] == [("empty", 0), ("s", 3)]


def test_epochs_are_rows_of_the_view(sample: Sample) -> None:
    sample.add(sample.record(1))
    sample.add(sample.record(0))
    names = [name for name, _ in V_EPOCHS.columns]
    rows = [dict(zip(names, row, strict=True)) for row in reading.epochs_of_study(sample.engine, "s")]
    assert [(row["seed"], row["epoch"], row["val_error_pct"]) for row in rows] == [
        (0, 1, 10.0), (0, 2, 5.0), (1, 1, 10.0), (1, 2, 5.0)
    ]  # fmt: skip
    with pytest.raises(BadInput, match="no study 'x'"):
        reading.epochs_of_study(sample.engine, "x")
