"""Studies and their trials -> rows, and rows -> records.

The package study/ decides whether a study may change from one spec to another; this file writes the row.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping, select, update

from resbench.did_you_mean import did_you_mean
from resbench.errors import BadInput, DatabaseError
from resbench.store.connection.dialect import insert_absent
from resbench.store.connection.transaction import reading, shown, writing
from resbench.store.edits.changes import deleted_before
from resbench.store.queue.leadership import hold_role
from resbench.store.records import Lease, StudyRow, TrialRecord, TrialRow, canonical_json, now
from resbench.store.results.spec_parts import parse_study
from resbench.store.schema.tables import rb_study, rb_trial
from resbench.store.schema.values import parse_object


def put_study(engine: Engine, name: str, spec: str, digest: str, role: Lease | None = None) -> int:
    """Insert the study, or update its spec and digest. Return its id. Raises LeaseLost where the role is lost."""
    made = now()
    values = {"name": name, "spec": spec, "digest": digest, "created_at": made, "updated_at": made}
    with writing(engine) as connection:
        hold_role(connection, role)
        if not insert_absent(connection, rb_study, values):
            changed = (rb_study.c.name == name) & (rb_study.c.digest != digest)
            connection.execute(update(rb_study).where(changed).values(spec=spec, digest=digest, updated_at=made))
        return int(connection.execute(select(rb_study.c.id).where(rb_study.c.name == name)).scalar_one())


def get_study(engine: Engine, name: str) -> StudyRow:
    """Return a study by name. Raises BadInput, with the existing names, where there is none."""
    with reading(engine) as connection:
        return study_row(connection, name, shown(engine))


def study_spec(engine: Engine, name: str) -> dict[str, Any]:
    """Return the spec of a study: `fixed`, `units`, `seeds` and further keys. Raises like get_study, and DatabaseError for an
    invalid row.
    """
    with reading(engine) as connection:
        row = study_row(connection, name, shown(engine))
        return {"fixed": {}, "units": [], "seeds": []} | parse_study(row.spec, f"study {name!r}: spec")


def spec_of_study(engine: Engine, study_id: int) -> dict[str, Any]:
    """Return the spec of a study by its id; an empty one where the study was deleted."""
    with reading(engine) as connection:
        found = connection.execute(select(rb_study.c.spec).where(rb_study.c.id == study_id)).scalar()
        return {} if found is None else parse_study(found, f"study {study_id}: spec")


def study_row(connection: Connection, name: str, where: str) -> StudyRow:
    """Return a study by name, inside a transaction; `where` names the database in the message."""
    row = connection.execute(select(rb_study).where(rb_study.c.name == name)).mappings().first()
    if row is not None:
        return StudyRow(**row)
    names = list(connection.execute(select(rb_study.c.name).order_by(rb_study.c.name)).scalars())
    gone = deleted_before(connection, f"study {name}")
    if not names:
        raise BadInput(f"no study {name!r} in {where}: it holds none yet{gone}; `resbench study run` writes the first")
    some = ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
    raise BadInput(f"no study {name!r} in {where}{gone}{did_you_mean(name, names)}; it holds: {some}")


def study_names(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        return list(connection.execute(select(rb_study.c.name).order_by(rb_study.c.name)).scalars())


def put_trial(engine: Engine, study_id: int, trial: TrialRecord, role: Lease | None = None) -> int:
    """Insert the trial if its number is new in the study; of an existing one only `active` may change. Return its id.

    Raises LeaseLost where the role is lost.
    """
    values = asdict(trial) | {"study_id": study_id, "params": canonical_json(dict(trial.params))}
    same = (rb_trial.c.study_id == study_id) & (rb_trial.c.number == trial.number)
    with writing(engine) as connection:
        hold_role(connection, role)
        inserted = insert_absent(connection, rb_trial, values)
        row = connection.execute(select(rb_trial).where(same)).mappings().one()
        if not inserted:
            differ = [name for name in values if name != "active" and row[name] != values[name]]
            if differ:
                raise DatabaseError(
                    f"{shown(engine)}: trial {trial.number}: expected the stored {differ[0]} {row[differ[0]]!r}, got "
                    f"{values[differ[0]]!r}; a stored trial is never rewritten"
                )
            connection.execute(update(rb_trial).where(same).values(active=trial.active))
        return int(row["id"])


def trials_of_study(engine: Engine, study_id: int) -> list[TrialRow]:
    """Return the trials of a study, in the order of their numbers."""
    with reading(engine) as connection:
        query = select(rb_trial).where(rb_trial.c.study_id == study_id).order_by(rb_trial.c.number)
        fields = [name for name in TrialRecord.__slots__ if name != "params"]
        return [
            TrialRow(row["id"], TrialRecord(params=_params(row), **{name: row[name] for name in fields}))
            for row in connection.execute(query).mappings()
        ]


def _params(row: RowMapping) -> dict[str, Any]:
    return parse_object(row["params"], f"rb_trial {row['id']}: params")
