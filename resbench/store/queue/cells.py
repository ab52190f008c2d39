"""The queue of cells: queued -> running (claimed under a lease by one worker) -> done or failed, or queued again.

Each claim raises the token of the cell, and every write for a cell is made under its token: a worker whose lease ended, and that
lost its cell, gets an error and changes nothing. Each claim is a row of rb_attempt, with its outcome.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import combinations
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, RowMapping, insert, select, type_coerce, update

from resbench.errors import DatabaseError, LeaseLost
from resbench.failpoints import Failpoint, reach
from resbench.store.connection.dialect import clock
from resbench.store.connection.secrets import conceal
from resbench.store.connection.transaction import location_of, reading, shown, writing
from resbench.store.queue.leadership import hold_role
from resbench.store.queue.leases import LEASE_S
from resbench.store.records import Attempt, Cell, Ending, Lease, canonical_json, now
from resbench.store.schema.columns import CheckedType
from resbench.store.schema.tables import rb_trial
from resbench.store.schema.values import SEEDS, TAGS, parse_list, parse_object
from resbench.store.schema.work_tables import rb_attempt, rb_cell, rb_cell_plan

_IDS_PER_QUERY = 500
MOST_TAGS = 8  # tags of a worker, which may claim the cells of every subset
_STATUS = {"done": "done", "failed": "failed", "given_back": "queued", "retry": "queued"}  # of the cell, by outcome


def enqueue_cell(
    engine: Engine,
    trial_id: int,
    seeds: Sequence[int],
    plan: Mapping[str, Any] | None = None,
    tags: Sequence[str] = (),
    *,
    role: Lease | None = None,
) -> int:
    """Queue missing seeds of a trial, with the plan of their training, and return the cell's id.

    An open cell of the same trial and seeds is returned instead of a second one. Raises LeaseLost where the role is lost.
    """
    values = {"trial_id": trial_id, "seeds": canonical_json(list(seeds)), "status": "queued", "tags": _json(tags)}
    trial = select(rb_trial.c.architecture, rb_trial.c.recipe, rb_trial.c.data).where(rb_trial.c.id == trial_id)
    same = (rb_cell.c.trial_id == trial_id) & (rb_cell.c.seeds == values["seeds"])
    with writing(engine) as connection:
        hold_role(connection, role)
        # The trial's row is locked, so that on Postgres too only one caller at a time looks and inserts.
        identity = connection.execute(trial.with_for_update()).mappings().first()
        if identity is None:
            raise DatabaseError(f"{shown(engine)}: no trial has the id {trial_id}, to which a cell was to belong")
        is_open = rb_cell.c.status.in_(("queued", "running"))
        open_id = connection.execute(select(rb_cell.c.id).where(same, is_open)).scalar()
        if open_id is not None:
            return int(open_id)
        result = connection.execute(insert(rb_cell).values(values | dict(identity)).returning(rb_cell.c.id))
        cell_id = int(result.scalar_one())
        if plan is not None:
            connection.execute(insert(rb_cell_plan).values(cell_id=cell_id, plan=canonical_json(plan)))
        return cell_id


def claim_cell(
    engine: Engine, study_id: int, worker: str, tags: Sequence[str] = (), lease_s: float = LEASE_S
) -> Cell | None:
    """Claim the oldest queued cell of an active trial whose tags the worker has. Return it, now running; None where none is."""
    wanted = (rb_trial.c.study_id == study_id) & rb_trial.c.active & (rb_cell.c.status == "queued")
    oldest = (
        select(rb_cell.c.id)
        .join(rb_trial, rb_trial.c.id == rb_cell.c.trial_id)
        .where(wanted, rb_cell.c.tags.in_(_subsets(tags)))
        .order_by(rb_cell.c.id)
        .limit(1)
        .with_for_update(of=rb_cell, skip_locked=True)
    )
    with writing(engine) as connection:
        cell_id = connection.execute(oldest).scalar()
        if cell_id is None:
            return None
        claim = {
            "status": "running",
            "claimed_by": worker,
            "claimed_at": now(),
            "finished_at": None,
            "error": None,
            "token": rb_cell.c.token + 1,
            "lease_until": clock(connection) + lease_s,
        }
        row = connection.execute(
            update(rb_cell).where(rb_cell.c.id == cell_id).values(claim).returning(*rb_cell.c)
        ).mappings().one()  # fmt: skip
        began = {"cell_id": cell_id, "token": row["token"], "worker": worker, "started_at": claim["claimed_at"]}
        connection.execute(insert(rb_attempt).values(began | {"outcome": "running", "reached": 0}))
        plan = connection.execute(select(rb_cell_plan.c.plan).where(rb_cell_plan.c.cell_id == cell_id)).scalar()
        cell = _cell(row, plan)
    reach(Failpoint.CELL_CLAIMED)
    return cell


def hold(connection: Connection, cell: Cell) -> None:
    """Lock the claim until the transaction ends. Raises LeaseLost where another worker has taken the cell over."""
    mine = select(rb_cell.c.id).where(_claim(cell), rb_cell.c.status == "running")
    if connection.execute(mine.with_for_update(read=True)).first() is None:
        raise LeaseLost(
            f"cell {cell.id}: was taken over by another worker, since the lease had ended; nothing was written"
        )


def end_attempt(engine: Engine, cell: Cell, ending: Ending) -> bool:
    """Close the claim: by its outcome the cell is done, failed or queued again. Return False where the claim was lost."""
    status = _STATUS[ending.outcome]
    closed = status in ("done", "failed")
    error = None if ending.error is None else conceal(ending.error, location_of(engine).secrets)
    reach(Failpoint.CELL_ENDING)
    with writing(engine) as connection:
        values = {
            "status": status,
            "finished_at": now() if closed else None,
            "error": error if status == "failed" else None,
            "lease_until": None,
        }
        query = update(rb_cell).where(_claim(cell), rb_cell.c.status == "running").values(values)
        if connection.execute(query).rowcount != 1:
            return False
        attempt = {
            "outcome": ending.outcome,
            "kind": ending.kind,
            "error": error,
            "reached": ending.reached,
            "ended_at": now(),
        }
        of = (rb_attempt.c.cell_id == cell.id) & (rb_attempt.c.token == cell.token)
        connection.execute(update(rb_attempt).where(of).values(attempt))
    reach(Failpoint.CELL_ENDED)
    return True


def running_cells(engine: Engine, study_id: int) -> list[tuple[Cell, bool]]:
    """Return the running cells of a study, each with whether its lease has ended."""
    with reading(engine) as connection:
        cells = cells_of(connection, (rb_trial.c.study_id == study_id) & (rb_cell.c.status == "running"))
        now_s = connection.execute(select(clock(connection))).scalar_one()
    return [(cell, cell.lease_until is None or cell.lease_until < now_s) for cell in cells]


def attempts_at(engine: Engine, cell_id: int) -> list[Attempt]:
    """Return the attempts at a cell, in their order."""
    with reading(engine) as connection:
        query = select(rb_attempt).where(rb_attempt.c.cell_id == cell_id).order_by(rb_attempt.c.token)
        return [Attempt(**row) for row in connection.execute(query).mappings()]


def open_cells(engine: Engine, study_id: int, *, active: bool = True) -> list[Cell]:
    """Return the queued and running cells of a study, of active trials or of all."""
    with reading(engine) as connection:
        return cells_of(connection, _open(study_id) & rb_trial.c.active if active else _open(study_id))


def cells_by_id(engine: Engine, ids: Collection[int]) -> list[Cell]:
    found: list[Cell] = []
    with reading(engine) as connection:
        for start in range(0, len(ids), _IDS_PER_QUERY):
            found += cells_of(connection, rb_cell.c.id.in_(sorted(ids)[start : start + _IDS_PER_QUERY]))
    return found


def is_open(engine: Engine, study_id: int, tags: Sequence[str] | None = None) -> bool:
    """Return whether a cell of an active trial is queued or running; with `tags`, one that a worker that has these may
    claim.
    """
    query = select(rb_cell.c.id).join(rb_trial, rb_trial.c.id == rb_cell.c.trial_id)
    if tags is not None:
        query = query.where(rb_cell.c.tags.in_(_subsets(tags)))
    with reading(engine) as connection:
        return connection.execute(query.where(_open(study_id), rb_trial.c.active).limit(1)).first() is not None


def _open(study_id: int) -> ColumnElement[bool]:
    return (rb_trial.c.study_id == study_id) & rb_cell.c.status.in_(("queued", "running"))


def cells_of(connection: Connection, which: ColumnElement[bool]) -> list[Cell]:
    """Return cells by a condition, inside a transaction."""
    query = (
        select(rb_cell, type_coerce(rb_cell_plan.c.plan, CheckedType("plan")).label("plan"))  # it may have none
        .join(rb_trial, rb_trial.c.id == rb_cell.c.trial_id)
        .outerjoin(rb_cell_plan)
        .where(which)
        .order_by(rb_cell.c.id)
    )
    rows = connection.execute(query).mappings().all()
    return [_cell({c.name: row[c] for c in rb_cell.c}, row["plan"]) for row in rows]


def close_cell(engine: Engine, cell_id: int, error: str) -> None:
    """Close a queued cell that is no longer wanted, as failed; a claimed one stays unchanged."""
    with writing(engine) as connection:
        mine = (rb_cell.c.id == cell_id) & (rb_cell.c.status == "queued")
        connection.execute(update(rb_cell).where(mine).values(status="failed", finished_at=now(), error=error))


def _claim(cell: Cell) -> Any:
    return (rb_cell.c.id == cell.id) & (rb_cell.c.token == cell.token)


def _subsets(tags: Sequence[str]) -> list[str]:
    """Return what cells may ask for of a worker with these tags, as it stands in their rows."""
    return [_json(some) for n in range(len(tags) + 1) for some in combinations(sorted(set(tags)), n)]


def _json(tags: Sequence[str]) -> str:
    return canonical_json(sorted(set(tags)))


def _cell(row: RowMapping | Mapping[str, Any], plan: str | None) -> Cell:
    what = f"rb_cell {row['id']}"
    lists = {
        key: tuple(parse_list(row[key], f"{what}: {key}", kind)) for key, kind in (("seeds", SEEDS), ("tags", TAGS))
    }
    return Cell(**dict(row) | lists, plan=parse_object(plan or "{}", f"{what}: plan"))
