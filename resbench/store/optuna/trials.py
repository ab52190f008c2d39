"""Trials in our tables -> Optuna's rows: state, value, times, attributes, curve, and the unit as a parameter.

Optuna's interface can neither change a finished trial nor add a choice to a categorical parameter. Our tables are the reference,
and a study may grow, so Optuna's rows are updated here. Optuna is not imported; its tables are reflected from the database.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, Table, delete, insert, select, update

from resbench.failpoints import Failpoint, reach
from resbench.store.connection.transaction import writing
from resbench.store.optuna.rows import MARK, is_optunas, reopen_trials
from resbench.store.queue.leadership import hold_role
from resbench.store.records import Lease, canonical_json

UNIT = "unit"  # the parameter
MOST_UNITS = 200  # choices of it; where a study has more, the unit is an attribute alone
_AT_ONCE = 100  # trials in a transaction
_TABLES = ("studies", "trials", "trial_params", "trial_values", "trial_intermediate_values", "trial_user_attributes",
           "trial_system_attributes")  # fmt: skip


@dataclass(frozen=True, slots=True)
class OptunaTrial:
    """A trial as Optuna shows it. `began` and `ended` are the times of its training, naive UTC; `curve` is its value by epoch."""

    state: str
    value: float | None = None
    began: datetime | None = None
    ended: datetime | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    curve: Mapping[int, float] = field(default_factory=dict)

    @property
    def mark(self) -> str:
        content = asdict(self) | {"began": str(self.began), "ended": str(self.ended), "curve": list(self.curve.items())}
        return sha256(canonical_json(content).encode()).hexdigest()


def write_trials(engine: Engine, study: str, trials: Mapping[int, OptunaTrial], role: Lease | None = None) -> None:
    """Update Optuna's rows of the trials, by number; it is idempotent. Raises LeaseLost."""
    numbers = sorted(trials)
    for some in (numbers[start : start + _AT_ONCE] for start in range(0, len(numbers), _AT_ONCE)):
        reach(Failpoint.TRIAL_REPORTING)
        with writing(engine) as connection:
            hold_role(connection, role)
            tables = _tables(connection, study)
            if tables is None:
                return
            ids = _ids(connection, tables, study)
            for number in (number for number in some if number in ids):
                _write(connection, tables, ids[number], trials[number])
        reach(Failpoint.TRIAL_REPORTED)


def reopen_failed(engine: Engine, study: str, numbers: Collection[int], role: Lease | None = None) -> None:
    """Set failed trials to running, since they are trained again. Raises LeaseLost."""
    with writing(engine) as connection:
        hold_role(connection, role)
        tables = _tables(connection, study)
        if tables is None:
            return
        trials, studies = tables["trials"], tables["studies"]
        failed = (
            select(trials.c.number)
            .join(studies, studies.c.study_id == trials.c.study_id)
            .where(studies.c.study_name == study, trials.c.state == "FAIL")
        )
        again = {*numbers} & {*connection.execute(failed).scalars()}
        if again:
            reopen_trials(connection, study, again)


def write_units(engine: Engine, study: str, units: Mapping[int, str], role: Lease | None = None) -> None:
    """Give each trial, by number, the parameter `unit`, a choice among the units of the whole study. Raises LeaseLost.

    Optuna stores a choice by its index, so new ones are appended, and every row of the parameter gets the longer list at once.
    """
    with writing(engine) as connection:
        hold_role(connection, role)
        tables = _tables(connection, study)
        if tables is None:
            return
        ids, params = _ids(connection, tables, study), tables["trial_params"]
        mine = (params.c.param_name == UNIT) & params.c.trial_id.in_(select(_of_study(tables, study).c.trial_id))
        rows = connection.execute(
            select(params.c.trial_id, params.c.param_value, params.c.distribution_json).where(mine)
        )
        present = {row[0]: (row[1], row[2]) for row in rows}
        before = _choices({text for _, text in present.values()})
        wanted = list(dict.fromkeys([*before, *(units[number] for number in sorted(units))]))
        if len(wanted) > MOST_UNITS:
            connection.execute(delete(params).where(mine))
            return
        text = json.dumps({"name": "CategoricalDistribution", "attributes": {"choices": wanted}})
        if present and {text} != {row[1] for row in present.values()}:
            connection.execute(update(params).where(mine).values(distribution_json=text))
        for number, unit in units.items():
            at = ids.get(number)
            if at in present and present[at][0] != wanted.index(unit):  # another program has changed the list
                same = mine & (params.c.trial_id == at)
                connection.execute(update(params).where(same).values(param_value=float(wanted.index(unit))))
        new = [
            {
                "trial_id": ids[number],
                "param_name": UNIT,
                "param_value": float(wanted.index(unit)),
                "distribution_json": text,
            }
            for number, unit in units.items()
            if number in ids and ids[number] not in present
        ]
        if new:
            connection.execute(insert(params), new)


def _choices(texts: Collection[str]) -> list[str]:
    """Return the longest list of choices among the rows; an empty one where none has the form that is written here."""
    found: list[str] = []
    for text in texts:
        try:
            choices = json.loads(text)["attributes"]["choices"]
        except (ValueError, TypeError, KeyError):
            continue
        if isinstance(choices, list) and len(choices) > len(found):
            found = [str(choice) for choice in choices]
    return found


def _write(connection: Connection, tables: Mapping[str, Table], trial_id: int, trial: OptunaTrial) -> None:
    trials, system = tables["trials"], tables["trial_system_attributes"]
    same = (system.c.trial_id == trial_id) & (system.c.key == MARK)
    state = connection.execute(select(trials.c.state).where(trials.c.trial_id == trial_id)).scalar()
    mark = connection.execute(select(system.c.value_json).where(same)).scalar()
    if (state, mark) == (trial.state, json.dumps(trial.mark)):
        return
    attributes = tables["trial_user_attributes"]
    for name in ("trial_values", "trial_intermediate_values"):
        connection.execute(delete(tables[name]).where(tables[name].c.trial_id == trial_id))
    own = (attributes.c.trial_id == trial_id) & attributes.c.key.in_(trial.attributes)
    connection.execute(delete(attributes).where(own))
    connection.execute(delete(system).where(same))
    _insert(connection, attributes, [
        {"trial_id": trial_id, "key": key, "value_json": json.dumps(value)}
        for key, value in trial.attributes.items() if value is not None
    ])  # fmt: skip
    _insert(connection, tables["trial_intermediate_values"], [
        {"trial_id": trial_id, "step": step, "intermediate_value": value, "intermediate_value_type": "FINITE"}
        for step, value in trial.curve.items()
    ])  # fmt: skip
    if trial.value is not None:
        value = {"trial_id": trial_id, "objective": 0, "value": trial.value, "value_type": "FINITE"}
        _insert(connection, tables["trial_values"], [value])
    _insert(connection, system, [{"trial_id": trial_id, "key": MARK, "value_json": json.dumps(trial.mark)}])
    times = {"datetime_start": trial.began, "datetime_complete": trial.ended}
    values = {"state": trial.state} | {name: at for name, at in times.items() if at is not None}
    connection.execute(update(trials).where(trials.c.trial_id == trial_id).values(values))


def _insert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table), [dict(row) for row in rows])


def _tables(connection: Connection, study: str) -> dict[str, Table] | None:
    """Return Optuna's tables, with the types of the database; None where Optuna has no such study."""
    if not is_optunas(connection, study):
        return None
    metadata = MetaData()
    metadata.reflect(connection, only=_TABLES)
    return {name: metadata.tables[name] for name in _TABLES}


def _of_study(tables: Mapping[str, Table], study: str) -> Any:
    trials, studies = tables["trials"], tables["studies"]
    joined = select(trials.c.trial_id, trials.c.number).join(studies, studies.c.study_id == trials.c.study_id)
    return joined.where(studies.c.study_name == study).subquery()


def _ids(connection: Connection, tables: Mapping[str, Table], study: str) -> dict[int, int]:
    """Return the id of each trial by its number."""
    mine = _of_study(tables, study)
    return {number: trial_id for trial_id, number in connection.execute(select(mine.c.trial_id, mine.c.number))}
