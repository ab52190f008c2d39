"""A change of results -> a row of rb_change, written in the transaction of the change, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, insert, select

from resbench.store.connection.transaction import reading
from resbench.store.records import canonical_json, now
from resbench.store.schema.change_tables import DELETED, rb_change
from resbench.store.schema.values import parse_object


@dataclass(frozen=True, slots=True)
class Change:
    """A deletion, a renaming or a note. `subject` is, for instance, `study gates`."""

    changed_at: str
    changed_by: str
    change: str
    subject: str
    details: Mapping[str, Any]


def record_change(connection: Connection, by: str, change: str, subject: str, details: Mapping[str, Any]) -> None:
    """Record a change, its author and its time, inside the transaction that makes it."""
    values = {"changed_at": now(), "changed_by": by, "change": change, "subject": subject}
    connection.execute(insert(rb_change).values(**values, details=canonical_json(dict(details))))


def deleted_before(connection: Connection, subject: str) -> str:
    """Return the end of a message about a missing subject: when and by whom it was deleted; empty where it was not."""
    query = select(rb_change.c.changed_at, rb_change.c.changed_by).order_by(rb_change.c.id.desc()).limit(1)
    row = connection.execute(query.where(rb_change.c.change == DELETED, rb_change.c.subject == subject)).first()
    return "" if row is None else f"; {subject} was deleted at {row.changed_at} by {row.changed_by}"


def changes(engine: Engine) -> list[Change]:
    """Return every change, oldest first."""
    with reading(engine) as connection:
        rows = connection.execute(select(rb_change).order_by(rb_change.c.id)).mappings().all()
    return [
        Change(
            row["changed_at"], row["changed_by"], row["change"], row["subject"],
            parse_object(row["details"], f"rb_change {row['id']}: details"),
        )
        for row in rows
    ]  # fmt: skip
