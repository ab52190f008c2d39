"""Roles that one process holds at a time, under a lease with a fencing token, such as the coordinator of a study."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, and_, select, update

from resbench.errors import LeaseLost
from resbench.store.connection.dialect import clock, insert_absent
from resbench.store.connection.transaction import reading, writing
from resbench.store.records import Lease
from resbench.store.schema.work_tables import rb_lease


def coordinator_of(study: str) -> str:
    """Return the name of the role of a study's coordinator."""
    return f"coordinator of {study}"


def take_role(engine: Engine, role: str, worker: str, lease_s: float, *, gone: str | None = None) -> Lease | None:
    """Take a role and return its lease; None where another worker holds it. `gone` is a holder that is known to have ended."""
    with writing(engine) as connection:
        absent = {"name": role, "holder": worker, "token": 0, "until": 0.0}
        insert_absent(connection, rb_lease, absent)
        row = connection.execute(select(rb_lease).where(rb_lease.c.name == role).with_for_update()).one()
        free = connection.execute(select(clock(connection) >= row.until)).scalar_one()
        if row.holder not in (worker, gone) and not free:
            return None
        values = {"holder": worker, "token": row.token + 1, "until": clock(connection) + lease_s}
        connection.execute(update(rb_lease).where(rb_lease.c.name == role).values(values))
        return Lease(role, worker, row.token + 1)


def role_holder(engine: Engine, role: str) -> str | None:
    """Return the current holder of a role; None where it is free."""
    with reading(engine) as connection:
        held = (rb_lease.c.name == role) & (rb_lease.c.until > clock(connection))
        holder: str | None = connection.execute(select(rb_lease.c.holder).where(held)).scalar()
        return holder


def has_role(engine: Engine, lease: Lease) -> bool:
    """Return whether no other process has taken the role; the lease may have expired."""
    with reading(engine) as connection:
        return connection.execute(select(rb_lease.c.token).where(rb_lease.c.name == lease.name)).scalar() == lease.token


def hold_role(connection: Connection, lease: Lease | None) -> None:
    """Lock the role until the transaction ends. Raises LeaseLost where another process holds it."""
    if lease is None:
        return
    mine = and_(*(rb_lease.c[name] == getattr(lease, name) for name in Lease.__slots__))
    if connection.execute(select(rb_lease.c.name).where(mine).with_for_update(read=True)).first() is None:
        raise LeaseLost(f"another process has become {lease.name}; nothing was written")
