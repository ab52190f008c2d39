"""The tables of changes that people made to results: deletions and renamings, and notes on studies and runs."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Index, Table

from resbench.store.schema.columns import count, metadata, row_id, text, word

DELETED, RENAMED, NOTED, NOTE_REMOVED = CHANGES = ("deleted", "renamed", "noted", "note_removed")

rb_change = Table(
    "rb_change",
    metadata,
    row_id(),
    text("changed_at", "when, UTC"),
    text("changed_by", "who or what did it"),
    word("change", CHANGES, "deleted, renamed, noted or note_removed"),
    text("subject", "of what, such as `study gates`; a run's number is that of the database in which it was changed"),
    text("details", "what it was, JSON object"),
)
rb_note = Table(
    "rb_note",
    metadata,
    row_id(),
    count("study_id", "the study that it is about", nullable=True, refers="rb_study.id"),
    count("run_id", "the run that it is about; one of the two is NULL", nullable=True, refers="rb_run.id"),
    text("noted_at", "when, UTC"),
    text("noted_by", "who or what wrote it"),
    text("note", "what was written"),
    CheckConstraint("(study_id IS NULL) <> (run_id IS NULL)", name="subject"),
    Index("ix_rb_note_run", "run_id"),
)
