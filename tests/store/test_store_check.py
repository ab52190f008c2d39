"""Damage and rows that cannot be true are found, each by its name."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text
from store_sample import Sample

from resbench.errors import DatabaseError
from resbench.store.connection.transaction import writing
from resbench.store.maintenance.check import check_database, refuse_unsound
from resbench.store.queue.cells import claim_cell, enqueue_cell

SPEC = '{"epochs": 1, "optimizer": {"use": "sgd", "lr": 0.1}, "batch": 8, "recipe": "paper"}'


@pytest.fixture
def sound(sample: Sample, db: str) -> str:
    """The sample with what it leaves open: digests of a study and a recipe, and a run whose numbers agree."""
    from resbench.language.recipe.recipe import recipe_from_json

    digest = recipe_from_json(SPEC).digest
    with writing(sample.engine) as connection:
        connection.execute(
            text("UPDATE rb_study SET digest = '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a'")
        )
        connection.execute(text("INSERT INTO rb_recipe VALUES (:d, 'n', :s)"), {"d": digest, "s": SPEC})
        connection.execute(text("UPDATE rb_trial SET recipe = :d"), {"d": digest})
        connection.execute(text("DELETE FROM rb_recipe WHERE digest = 'rec'"))
        connection.execute(text("INSERT INTO rb_recipe VALUES ('rec', 'paper', :s)"), {"s": SPEC})
        connection.execute(text("UPDATE rb_trial SET recipe = 'rec'"))
    sample.add(sample.record(0))
    return db


def wrong(db: str) -> list[str]:
    return [line for one in check_database(db) for line in one.wrong]


def test_a_sound_database_has_nothing_wrong(sound: str) -> None:
    assert wrong(sound) == []
    assert len(check_database(sound)) > 8
    refuse_unsound(sound, transaction_s=60)


BROKEN = [
    ("UPDATE rb_run SET val_error_pct = 101", "rb_run 1: val_error_pct: expected a number from 0 to 100, got 101.0"),
    ("UPDATE rb_run SET val_error_pct = 4", "run 1: 4"),
    ("DELETE FROM rb_epoch WHERE epoch = 1", "run 1: 2 epochs, rows: 1"),
    ("UPDATE rb_epoch SET epoch = epoch + 1 WHERE epoch = 2", "run 1: 2 epochs, rows: 2"),
    ("UPDATE rb_run SET epochs = 3", "run 1: 3 epochs, rows: 2"),
    ("UPDATE rb_run SET architecture = 'b'", "run 1: another architecture, recipe or data set than trial 1"),
    ("INSERT INTO rb_study VALUES (9, 'o', '{}', '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a', 't', 't')",
     None),
    ("UPDATE rb_study SET spec = '{\"a\": 1}'", "study s: the digest of its spec is"),
    ("UPDATE rb_environment SET threads = 9", "its columns have another digest"),
    ("UPDATE rb_recipe SET spec = replace(spec, '0.1', '0.2') WHERE digest <> 'rec'", "what it says has the digest"),
    ("UPDATE rb_recipe SET spec = '{}'", "cannot be read"),
    ("UPDATE rb_trial SET params = '[1'", "rb_trial 1: params: expected a JSON object, got"),
    ("UPDATE rb_run SET status = 'stopped'", "run 1: stopped"),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "told"), BROKEN)
def test_what_cannot_be_true_is_found(sound: str, sample: Sample, sql: str, told: str | None) -> None:
    with writing(sample.engine) as connection:
        connection.execute(text("INSERT INTO rb_architecture VALUES ('b', 'n', 'u', '{}', 1, NULL, 't')"))
        connection.execute(text(sql))
    found = wrong(sound)
    assert any(told in line for line in found) if told else found == []


def test_an_attempt_without_a_lease_is_found(sound: str, sample: Sample) -> None:
    enqueue_cell(sample.engine, sample.trial_id, [0])
    claim_cell(sample.engine, sample.study_id, "w")
    assert wrong(sound) == []
    with writing(sample.engine) as connection:
        connection.execute(text("UPDATE rb_cell SET status = 'done'"))
    assert wrong(sound) == ["attempt 1 at cell 1: the cell is done, its token 1"]


def test_a_run_under_a_trial_of_another_study_is_found(sound: str, sample: Sample) -> None:
    with writing(sample.engine) as connection:
        connection.execute(text("INSERT INTO rb_study VALUES (9, 'o', '{}', 'x', 't', 't')"))
        connection.execute(text("UPDATE rb_study_run SET study_id = 9"))
    assert "run 1: trial 1 is of study 1, not 9" in wrong(sound)


@pytest.mark.sqlite
def test_a_reference_that_leads_nowhere_is_found_and_stops_there(sound: str, sample: Sample) -> None:
    with sample.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        connection.exec_driver_sql("DELETE FROM rb_environment")
    sample.engine.dispose()
    assert wrong(sound) == ["rb_run, row 1: what it refers to is not in rb_environment"]
    with pytest.raises(DatabaseError, match="damaged: rb_run, row 1"):
        refuse_unsound(sound, transaction_s=60)


@pytest.mark.sqlite
def test_damage_is_found(sound: str, sample: Sample) -> None:
    with writing(sample.engine) as connection:
        connection.execute(text("UPDATE rb_study SET spec = hex(zeroblob(20000))"))
    sample.engine.dispose()
    with Path(sound).open("r+b") as file:
        file.seek(Path(sound).stat().st_size - 4096 * 6)
        file.write(b"\xff" * 4096 * 2)
    try:
        told = " ".join(wrong(sound))
    except DatabaseError as error:
        told = str(error)
    assert told
    with pytest.raises(DatabaseError, match="damaged"):
        refuse_unsound(sound, transaction_s=60)
