"""Notes and new names: kept with who and when, merged, checked."""

from __future__ import annotations

from collections.abc import Callable

import optuna
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from store_sample import Sample

from resbench.errors import BadInput, LeaseLost
from resbench.store.connection.transaction import writing
from resbench.store.edits.changes import changes
from resbench.store.edits.notes import NoteSubject, add_note, notes_on, remove_note
from resbench.store.edits.rename import rename_study
from resbench.store.maintenance.check import check_database
from resbench.store.merge.databases import merge
from resbench.store.optuna.storage import optuna_storage
from resbench.store.queue.leadership import coordinator_of, hold_role, take_role
from resbench.store.queue.workers import end_worker, put_worker
from resbench.store.records import WorkerRecord
from resbench.store.results.reading import runs_of_study
from resbench.store.results.studies import put_study

Another = Callable[[str], Sample]
ODD = "</td>\x1b[31m|=HYPERLINK(1)\u202e`"


def alive(worker: WorkerRecord) -> bool:
    return False


def test_notes_on_a_study_and_on_a_run(sample: Sample) -> None:
    run = sample.add(sample.record(0))
    first = add_note(sample.engine, NoteSubject("s"), ODD, "ann")
    second = add_note(sample.engine, NoteSubject(run=run), "loss spikes", "bob")
    found = notes_on(sample.engine)
    assert [(n.note, n.study, n.run, n.noted_by, n.text) for n in found] == [
        (first, "s", None, "ann", ODD), (second, None, run, "bob", "loss spikes")
    ]  # fmt: skip
    assert [n.text for n in notes_on(sample.engine, NoteSubject("s"))] == [ODD]
    assert [n.text for n in notes_on(sample.engine, NoteSubject(run=run))] == ["loss spikes"]
    assert [(c.change, c.subject, c.changed_by) for c in changes(sample.engine)] == [
        ("noted", "study s", "ann"), ("noted", f"run {run}", "bob")
    ]  # fmt: skip


def test_a_note_that_is_removed_stays_in_the_changes(sample: Sample) -> None:
    note = add_note(sample.engine, NoteSubject("s"), "wrong", "ann")
    put_study(sample.engine, "other", "{}", "d1")
    with pytest.raises(BadInput, match=f"no note {note} on study other"):
        remove_note(sample.engine, note, "bob", NoteSubject("other"))
    remove_note(sample.engine, note, "bob", NoteSubject("s"))
    assert notes_on(sample.engine) == []
    last = changes(sample.engine)[-1]
    assert (last.change, last.subject, last.details["note"]) == ("note_removed", "study s", "wrong")
    with pytest.raises(BadInput, match=f"no note {note} in "):
        remove_note(sample.engine, note, "bob")


@pytest.mark.parametrize(
    ("subject", "words", "told"),
    [
        (NoteSubject("t"), "x", "no study 't'"), (NoteSubject(run=9), "x", "no run 9 in "),
        (NoteSubject(run=-1), "x", "no run -1 in "),
        (NoteSubject("s"), " \n", "got an empty one"), (NoteSubject("s"), "x" * 10_001, "at most 10000 characters"),
        (NoteSubject("s"), "a\0b", r"the character U\+0000"),
    ],
)  # fmt: skip
def test_a_note_that_is_none(sample: Sample, subject: NoteSubject, words: str, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        add_note(sample.engine, subject, words, "ann")
    assert (notes_on(sample.engine), changes(sample.engine)) == ([], [])


def test_a_note_is_about_one_thing(sample: Sample) -> None:
    insert = "INSERT INTO rb_note (study_id, noted_at, noted_by, note) VALUES (NULL, 'x', 'x', 'x')"
    with pytest.raises(IntegrityError), sample.engine.begin() as connection:
        connection.execute(text(insert))


@pytest.mark.sqlite
def test_strange_notes_and_changes_are_found_by_the_check(sample: Sample, db: str) -> None:
    rows = (
        "INSERT INTO rb_change (changed_at, changed_by, change, subject, details) VALUES ('x', 'x', 'eaten', 'x', '[]')",
        "INSERT INTO rb_note (study_id, noted_at, noted_by, note) VALUES (1, 'x', 'x', 1.5)",
        "UPDATE rb_note SET note = x'00'",
    )
    with sample.engine.begin() as connection:
        for row in rows:
            connection.execute(text(row))
    wrong = next(one.wrong for one in check_database(db) if one.what.startswith("every value"))
    assert [line.partition(", got")[0] for line in wrong] == [
        "rb_change 1: change: expected one of deleted, renamed, noted, note_removed",
        "rb_change 1: details: expected a JSON object",
        "rb_note 1: note: expected a text",
    ]
    with sample.engine.connect() as connection:
        connection.execute(text("PRAGMA ignore_check_constraints = ON"))
        connection.execute(text("UPDATE rb_note SET study_id = NULL, note = 'about nothing'"))
        connection.commit()
    assert any("rb_note" in line for one in check_database(db) for line in one.wrong)


def test_a_merge_takes_notes_and_changes_along_once(
    sample: Sample, db: str, another: Another, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = str(tmp_path_factory.mktemp("other") / "other.db")
    other = another(path)
    other.add(other.record(5))
    mine = sample.add(sample.record(0))
    theirs = other.add(other.record(0))
    for engine in (sample.engine, other.engine):
        add_note(engine, NoteSubject("s"), "both", "ann")
    add_note(sample.engine, NoteSubject(run=mine), "mine", "ann")
    add_note(other.engine, NoteSubject(run=theirs), "theirs", "bob")
    put_study(other.engine, "new", "{}", "d1")
    add_note(other.engine, NoteSubject("new"), "of the new study", "bob")
    assert mine != theirs
    for _ in range(2):
        merge(db, [path])
        told = {(note.study, note.run, note.text) for note in notes_on(sample.engine)}
        assert told >= {
            ("s", None, "both"),
            (None, mine, "mine"),
            (None, mine, "theirs"),
            ("new", None, "of the new study"),
        }
        notes = len(notes_on(sample.engine))
        assert notes in (4, 5)  # `both` was written in one second, or in two
        assert len(changes(sample.engine)) == notes


def test_a_study_has_another_name_everywhere(sample: Sample, db: str) -> None:
    sample.add(sample.record(0))
    put_worker(sample.engine, WorkerRecord("host:2:b", "s", "host", "boot", 2, "born", "cpu", 1))
    end_worker(sample.engine, "host:2:b")
    sampler = optuna.samplers.RandomSampler(seed=0)
    optuna.create_study(study_name="s", storage=optuna_storage(db), sampler=sampler)
    lease = take_role(sample.engine, coordinator_of("s"), "host:1:a", -1)
    rename_study(sample.engine, "s", "better", "ann", alive)
    assert [run.study for run in runs_of_study(sample.engine, "better")] == ["better"]
    assert [one.study_name for one in optuna.get_all_study_summaries(optuna_storage(db))] == ["better"]
    with sample.engine.begin() as connection:
        assert connection.execute(text("SELECT study FROM rb_worker")).scalar() == "better"
    (change,) = changes(sample.engine)
    assert (change.change, change.subject, change.details) == ("renamed", "study s", {"name": "better"})
    with writing(sample.engine) as connection, pytest.raises(LeaseLost):  # one that was only paused
        hold_role(connection, lease)
    with pytest.raises(BadInput, match="no study 's'"):
        rename_study(sample.engine, "s", "best", "ann", alive)


@pytest.mark.parametrize(
    ("new", "told"),
    [
        ("other", "there is a study of that name"), ("s", "there is a study of that name"), ("No", "is not a legal name"),
        ("forward", "is an attribute"), ("ghost", "Optuna has a study of that name"), ("x" * 300, "characters"),
        ("", "not a legal name"),
    ],
)  # fmt: skip
def test_a_name_that_cannot_be_given(sample: Sample, db: str, new: str, told: str) -> None:
    put_study(sample.engine, "other", "{}", "d1")
    optuna.create_study(
        study_name="ghost", storage=optuna_storage(db), sampler=optuna.samplers.RandomSampler(seed=0)
    )  # fmt: skip
    with pytest.raises(BadInput, match=told):
        rename_study(sample.engine, "s", new, "ann", alive)
    assert changes(sample.engine) == []


def test_a_study_that_is_run_keeps_its_name(sample: Sample) -> None:
    take_role(sample.engine, coordinator_of("s"), "host:1:a", 60)
    with pytest.raises(BadInput, match="being run by its coordinator host:1:a; it cannot be renamed now"):
        rename_study(sample.engine, "s", "better", "ann", alive)
