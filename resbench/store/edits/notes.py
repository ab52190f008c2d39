"""Notes on studies and runs -> rows of rb_note, and back.  A text is data: callers escape it before printing."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Engine, delete, insert, select, type_coerce

from resbench.errors import BadInput
from resbench.store.connection.transaction import reading, shown, writing
from resbench.store.edits.changes import record_change
from resbench.store.records import now
from resbench.store.results.studies import study_row
from resbench.store.schema.change_tables import NOTE_REMOVED, NOTED, rb_note
from resbench.store.schema.columns import CheckedType
from resbench.store.schema.tables import rb_run, rb_study
from resbench.store.schema.values import WHOLE

LONGEST_NOTE = 10_000  # characters


@dataclass(frozen=True, slots=True)
class Note:
    """A note on a study, by its name, or on a run, by its number."""

    note: int
    study: str | None
    run: int | None
    noted_at: str
    noted_by: str
    text: str


@dataclass(frozen=True, slots=True)
class NoteSubject:
    """The subject of a note: a study by name, or a run by number. One of the two is None."""

    study: str | None = None
    run: int | None = None

    def __str__(self) -> str:
        return f"study {self.study}" if self.run is None else f"run {self.run}"


def add_note(engine: Engine, subject: NoteSubject, text: str, by: str) -> int:
    """Write a note and return its number.

    Raises:
        BadInput: for an unknown study or run, and for a text that is empty, too long or has a character no database stores.
    """
    if not text.strip():
        raise BadInput("a note: expected a text, got an empty one")
    if len(text) > LONGEST_NOTE or "\0" in text:
        given = "one with the character U+0000" if "\0" in text else f"{len(text)}"
        raise BadInput(f"a note: expected at most {LONGEST_NOTE} characters, none of them U+0000, got {given}")
    with writing(engine) as connection:
        values = {**_columns(connection, subject, shown(engine)), "noted_at": now(), "noted_by": by, "note": text}
        note = int(connection.execute(insert(rb_note).values(values).returning(rb_note.c.id)).scalar_one())
        record_change(connection, by, NOTED, str(subject), {"note": text})
        return note


def remove_note(engine: Engine, note: int, by: str, subject: NoteSubject | None = None) -> Note:
    """Delete a note; its text stays in rb_change. Raises BadInput for a missing note, or one on another subject."""
    with writing(engine) as connection:
        found = _notes(connection, rb_note.c.id == note) if WHOLE.holds(note) else []
        if subject is not None:
            _columns(connection, subject, shown(engine))
            found = [one for one in found if NoteSubject(one.study, one.run) == subject]
        if not found:
            of = "" if subject is None else f" on {subject}"
            raise BadInput(f"no note {note}{of} in {shown(engine)}; `resbench results note --list` shows them all")
        connection.execute(delete(rb_note).where(rb_note.c.id == note))
        (one,) = found
        details = {"note": one.text, "noted_at": one.noted_at, "noted_by": one.noted_by}
        record_change(connection, by, NOTE_REMOVED, str(NoteSubject(one.study, one.run)), details)
        return one


def notes_on(engine: Engine, subject: NoteSubject | None = None) -> list[Note]:
    """Return the notes on a subject, or all notes, oldest first. Raises BadInput for an unknown study or run."""
    with reading(engine) as connection:
        if subject is None:
            return _notes(connection)
        of = _columns(connection, subject, shown(engine))
        return _notes(connection, *(rb_note.c[name] == value for name, value in of.items()))


def _columns(connection: Connection, subject: NoteSubject, where: str) -> dict[str, int]:
    if subject.study is not None:
        return {"study_id": study_row(connection, subject.study, where).id}
    run = subject.run
    known = connection.execute(select(rb_run.c.id).where(rb_run.c.id == run)).first() if WHOLE.holds(run) else None
    if known is None:
        raise BadInput(f"no run {run} in {where}; `resbench results top STUDY` and the view v_runs show numbers")
    return {"run_id": int(known.id)}


def _notes(connection: Connection, *which: ColumnElement[bool]) -> list[Note]:
    study = type_coerce(rb_study.c.name, CheckedType("name"))  # a note on a run has none
    columns = (rb_note.c.id, study, rb_note.c.run_id, rb_note.c.noted_at, rb_note.c.noted_by, rb_note.c.note)
    query = select(*columns).outerjoin_from(rb_note, rb_study).where(*which).order_by(rb_note.c.id)
    return [Note(*row) for row in connection.execute(query)]
