"""Processes that train cells -> rows.  One heartbeat renews all that a worker holds: cells, roles, and when it was last seen."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, insert, select, update

from resbench.store.connection.dialect import clock
from resbench.store.connection.transaction import reading, writing
from resbench.store.records import WorkerRecord, WorkerRow, canonical_json, now
from resbench.store.schema.values import TAGS, parse_list
from resbench.store.schema.work_tables import rb_lease, rb_worker


def put_worker(engine: Engine, worker: WorkerRecord) -> None:
    with writing(engine) as connection:
        values = asdict(worker) | {"tags": canonical_json(sorted(worker.tags)), "started_at": now()}
        connection.execute(insert(rb_worker).values(**values, seen=clock(connection)))


def set_slots(engine: Engine, worker: str, slots: int) -> None:
    """Set the number of cells that a worker trains at a time, once it is planned."""
    with writing(engine) as connection:
        connection.execute(update(rb_worker).where(rb_worker.c.name == worker).values(slots=slots))


def end_worker(engine: Engine, worker: str) -> None:
    """Record that a worker has left, and free its roles. It gives back its cells itself."""
    with writing(engine) as connection:
        connection.execute(update(rb_worker).where(rb_worker.c.name == worker).values(ended_at=now()))
        connection.execute(update(rb_lease).where(rb_lease.c.holder == worker).values(until=0.0))


def workers_of(engine: Engine, study: str) -> list[WorkerRow]:
    """Return the workers of a study that have not left, in the order of their start."""
    with reading(engine) as connection:
        return [worker_row(row) for row in connection.execute(workers_query(connection, study))]


def workers_query(connection: Connection, study: str) -> Select[Any]:
    """Return the query for the workers of a study; worker_row parses its rows."""
    query = select(rb_worker, (clock(connection) - rb_worker.c.seen).label("unseen_s"))
    query = query.where(rb_worker.c.study == study, rb_worker.c.ended_at.is_(None))
    return query.order_by(rb_worker.c.started_at, rb_worker.c.name)


def worker_by_name(engine: Engine, name: str) -> WorkerRow | None:
    with reading(engine) as connection:
        query = select(rb_worker, (clock(connection) - rb_worker.c.seen).label("unseen_s"))
        row = connection.execute(query.where(rb_worker.c.name == name)).first()
        return None if row is None else worker_row(row)


def worker_row(row: Row[Any]) -> WorkerRow:
    values = dict(row._mapping)
    record = WorkerRecord(
        **{name: values[name] for name in WorkerRecord.__slots__}
        | {"tags": parse_list(values["tags"], f"rb_worker {values['name']}: tags", TAGS)}
    )
    return WorkerRow(record, values["started_at"], values["ended_at"], float(values["unseen_s"]))
