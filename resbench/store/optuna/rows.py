"""Change Optuna's rows of a study, in the transaction that changes ours.  Optuna is not imported.

Optuna numbers the trials of a study by counting them, so the row of a trial stays when its contents are deleted.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Select, TableClause, column, delete, func, insert, inspect, select, table, update

from resbench.store.schema.foreign_objects import OPTUNA, OPTUNA_MARKS

_STUDIES = table("studies", column("study_id"), column("study_name"))
_TRIALS = table(
    "trials",
    *map(column, ("trial_id", "study_id", "number", "state", "datetime_start", "datetime_complete")),
)
_ATTRIBUTES, _SYSTEM = (
    table(name, column("trial_id"), column("key"), column("value_json"))
    for name in ("trial_user_attributes", "trial_system_attributes")
)
_FAILED = {
    "state": "FAIL",
    "datetime_complete": func.coalesce(_TRIALS.c.datetime_complete, _TRIALS.c.datetime_start, func.current_timestamp()),
}
MARK = "resbench:mirror"  # system attribute: the digest of what was written of the trial's runs
WHY = "why"
JUDGED = ("judged_n", "judged_converged", "judged_mean", "judged_std", "judged_interval_95")
OF_RUNS = ("n", "converged", "std", "interval_95", "train_s", "value_is", *JUDGED, WHY)  # user attributes
_OF_A_TRIAL = "trial_id"
_AT_ONCE = 500  # SQLite before 3.32 takes 999 parameters


def is_optunas(connection: Connection, study: str) -> bool:
    """Return whether Optuna has a study of that name."""
    return _id(connection, study) is not None


def rename_optunas(connection: Connection, old: str, new: str) -> None:
    if _has_tables(connection):
        connection.execute(update(_STUDIES).where(_STUDIES.c.study_name == old).values(study_name=new))


def delete_optunas(connection: Connection, study: str) -> None:
    """Delete Optuna's study with all rows that belong to it."""
    found = _id(connection, study)
    if found is None:
        return
    trials = select(_TRIALS.c.trial_id).where(_TRIALS.c.study_id == found)
    for child in _children(connection, _OF_A_TRIAL):
        connection.execute(delete(child).where(child.c.trial_id.in_(trials)))
    for child in (_TRIALS, *_children(connection, "study_id"), _STUDIES):
        connection.execute(delete(child).where(child.c.study_id == found))


def empty_trials(connection: Connection, study: str, numbers: Collection[int]) -> None:
    """Delete values, parameters and all else of trials, and leave them as failed, so that their numbers are not reused."""
    for some in _chunks(_trials(connection, study, numbers)):
        for child in _children(connection, _OF_A_TRIAL):
            connection.execute(delete(child).where(child.c.trial_id.in_(some)))
        connection.execute(update(_TRIALS).where(_TRIALS.c.trial_id.in_(some)).values(_FAILED))


def reopen_trials(connection: Connection, study: str, numbers: Collection[int]) -> None:
    """Delete the values of trials and put them under way again: they are trained now."""
    again = {"state": "RUNNING", "datetime_complete": None}
    for some in _chunks(_trials(connection, study, numbers)):
        _delete_values(connection, some)
        connection.execute(update(_TRIALS).where(_TRIALS.c.trial_id.in_(some)).values(again))


def fail_trials(connection: Connection, study: str, numbers: Collection[int], why: str) -> None:
    """Delete the values of trials and leave them failed: their means are over runs that are no more, and nobody trains yet."""
    for some in _chunks(_trials(connection, study, numbers)):
        _delete_values(connection, some)
        of_runs = _ATTRIBUTES.c.trial_id.in_(some) & _ATTRIBUTES.c.key.in_(OF_RUNS)
        connection.execute(delete(_ATTRIBUTES).where(of_runs))
        connection.execute(delete(_SYSTEM).where(_SYSTEM.c.trial_id.in_(some), _SYSTEM.c.key == MARK))
        rows = [{"trial_id": trial, "key": WHY, "value_json": json.dumps(why)} for trial in some]
        connection.execute(insert(_ATTRIBUTES), rows)
        connection.execute(update(_TRIALS).where(_TRIALS.c.trial_id.in_(some)).values(_FAILED))


def _delete_values(connection: Connection, trials: Sequence[int]) -> None:
    for child in _children(connection, _OF_A_TRIAL):
        if child.name in ("trial_values", "trial_intermediate_values"):
            connection.execute(delete(child).where(child.c.trial_id.in_(trials)))


def _has_tables(connection: Connection) -> bool:
    return set(inspect(connection).get_table_names()) >= OPTUNA_MARKS


def _id(connection: Connection, study: str) -> int | None:
    if not _has_tables(connection):
        return None
    found = connection.execute(_by_name(study)).first()
    return None if found is None else int(found[0])


def _by_name(study: str) -> Select[Any]:
    return select(_STUDIES.c.study_id).where(_STUDIES.c.study_name == study)


def _trials(connection: Connection, study: str, numbers: Collection[int]) -> list[int]:
    found = _id(connection, study)
    if found is None:
        return []
    rows = connection.execute(select(_TRIALS.c.trial_id, _TRIALS.c.number).where(_TRIALS.c.study_id == found))
    return [trial for trial, number in rows if number in numbers]


def _children(connection: Connection, key: str) -> Iterator[TableClause]:
    """Yield those of Optuna's tables in the database whose rows belong to a trial or a study."""
    schema = inspect(connection)
    for name in sorted((OPTUNA & set(schema.get_table_names())) - {_TRIALS.name, _STUDIES.name}):
        if any(one["name"] == key for one in schema.get_columns(name)):
            yield table(name, column(key))


def _chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE))
