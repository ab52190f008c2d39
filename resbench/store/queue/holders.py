"""A study -> the processes that work on it now: its coordinator, live workers, claimed cells.  They block changes to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlalchemy import Connection, select, update

from resbench.errors import BadInput
from resbench.store.connection.dialect import clock
from resbench.store.queue.leadership import coordinator_of
from resbench.store.queue.leases import LEASE_S
from resbench.store.queue.workers import worker_row, workers_query
from resbench.store.records import WorkerRecord
from resbench.store.schema.tables import rb_study, rb_trial
from resbench.store.schema.work_tables import rb_cell, rb_lease

IsGone = Callable[[WorkerRecord], bool]  # whether a worker's process is known to have ended


def refuse_held(connection: Connection, study: str, is_gone: IsGone, what: str) -> None:
    """Raise BadInput while a process works on the study. `what` is a participle for the message, such as `deleted`."""
    for who in holders(connection, study, is_gone):
        raise BadInput(
            f"study {study} is being run by {who}; it cannot be {what} now: stop that process, or wait until it is done "
            f"(a process that was killed on another machine counts as ended after {LEASE_S:.0f} s)"
        )


def holders(connection: Connection, study: str, is_gone: IsGone) -> Iterator[str]:
    """Yield a description of each process that works on a study."""
    ended: dict[str, bool] = {}
    alive = []
    for row in map(worker_row, connection.execute(workers_query(connection, study))):
        ended[row.worker.name] = is_gone(row.worker)
        if not ended[row.worker.name] and row.unseen_s < LEASE_S:
            alive.append(f"worker {row.worker.name} (last seen {row.unseen_s:.0f} s ago)")
    role = (rb_lease.c.name == coordinator_of(study)) & (rb_lease.c.until > clock(connection))
    holder = connection.execute(select(rb_lease.c.holder).where(role)).scalar()
    if holder is not None and not ended.get(holder, False):
        yield f"its coordinator {holder}"
    yield from alive
    claimed = (rb_cell.c.status == "running") & (rb_cell.c.lease_until > clock(connection))
    query = (
        select(rb_cell.c.id, rb_cell.c.claimed_by)
        .join(rb_trial, rb_trial.c.id == rb_cell.c.trial_id)
        .join(rb_study, rb_study.c.id == rb_trial.c.study_id)
        .where(rb_study.c.name == study, claimed)
    )
    for cell, worker in connection.execute(query):
        if not ended.get(worker, False):
            yield f"worker {worker}, at cell {cell}"


def is_any_run(connection: Connection) -> bool:
    """Return whether a coordinator of any study holds its role, or a worker a cell."""
    now = clock(connection)
    role = rb_lease.c.name.startswith(coordinator_of(""), autoescape=True) & (rb_lease.c.until > now)
    claim = (rb_cell.c.status == "running") & (rb_cell.c.lease_until > now)
    held = (select(rb_lease.c.name).where(role), select(rb_cell.c.id).where(claim))
    return any(connection.execute(query.limit(1)).first() is not None for query in held)


def end_role(connection: Connection, study: str) -> None:
    """End the coordinator's role, so that a paused coordinator whose lease is over can write nothing under the study's name."""
    mine = rb_lease.c.name == coordinator_of(study)
    connection.execute(update(rb_lease).where(mine).values(token=rb_lease.c.token + 1, until=0.0))
