"""Leases: how long a cell or a role is a worker's, and their renewal by its heartbeat."""

from __future__ import annotations

from sqlalchemy import Engine, update

from resbench.store.connection.dialect import clock
from resbench.store.connection.transaction import writing
from resbench.store.schema.work_tables import rb_cell, rb_lease, rb_worker

LEASE_S = 60.0  # without a renewal in this time, another worker may take over


def renew_leases(engine: Engine, worker: str, lease_s: float) -> None:
    """Renew everything that the worker holds. What another has taken over stays the other's."""
    with writing(engine) as connection:
        until = clock(connection) + lease_s
        connection.execute(update(rb_worker).where(rb_worker.c.name == worker).values(seen=clock(connection)))
        held = (rb_cell.c.claimed_by == worker) & (rb_cell.c.status == "running")
        connection.execute(update(rb_cell).where(held).values(lease_until=until))
        roles = (rb_lease.c.holder == worker) & (rb_lease.c.until > 0)
        connection.execute(update(rb_lease).where(roles).values(until=until))
