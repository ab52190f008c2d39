"""Delete results for good, in one transaction, with a row of rb_change that records what was deleted.

A run that another study or another unit uses stays, unless it is named itself. Rows of the catalogue are deleted with the last
row that refers to them; the next sweep (results/checkpoints.py) removes files of checkpoints, since no row refers to them.
"""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Engine, delete, select, update

from resbench.errors import BadInput
from resbench.store.connection.dialect import lock_rows
from resbench.store.connection.transaction import shown, writing
from resbench.store.edits.changes import record_change
from resbench.store.edits.delete_work import delete_catalogue, delete_checkpoints, delete_profiles, delete_work
from resbench.store.edits.deletion import DeletionPlan, DeletionRequest, Run, Trial, chunks, deletion_plan
from resbench.store.merge.verify import MERGED_TABLES
from resbench.store.optuna.rows import delete_optunas, empty_trials, fail_trials
from resbench.store.queue.holders import IsGone, end_role, refuse_held
from resbench.store.records import StudyRow, canonical_json
from resbench.store.results.spec_parts import parse_study
from resbench.store.schema.change_tables import DELETED, rb_note
from resbench.store.schema.tables import (
    rb_epoch,
    rb_reveal,
    rb_run,
    rb_run_plan,
    rb_study,
    rb_study_run,
    rb_test_score,
    rb_trial,
    rb_weights,
)
from resbench.store.schema.work_tables import rb_attempt, rb_cell, rb_cell_plan, rb_checkpoint, rb_lease, rb_worker

# A merge, and a process that saves a run, claims a cell or renews a lease, writes to them in the same order: no deadlock.
_LOCKED = (*MERGED_TABLES, rb_worker, rb_cell, rb_cell_plan, rb_attempt, rb_lease, rb_checkpoint)


def delete_results(engine: Engine, wanted: DeletionRequest, agreed: DeletionPlan, by: str, is_gone: IsGone) -> None:
    """Delete what a person agreed to, atomically.

    Args:
        agreed: the plan that plan_deletion made for `wanted`; where the plan would differ by now, nothing is deleted.
        by: the recorded author.
        is_gone: whether a worker's process is known to have ended.

    Raises:
        BadInput: for a missing subject, for a plan that has changed, and while a process works on an affected study.
    """
    with writing(engine) as connection:
        lock_rows(connection, _LOCKED)
        found = deletion_plan(connection, wanted, shown(engine))
        for study in found.studies:
            refuse_held(connection, study, is_gone, "deleted" if found.is_whole else "changed")
        if found != agreed:
            raise BadInput(
                f"{shown(engine)}: the results have changed since the deletion was planned; nothing was deleted: try again"
            )
        if found.study is None:
            _fail(connection, found.runs)
        else:
            _delete_trials(connection, found.study, found)
        _delete_runs(connection, found)
        _record(connection, found, by)


def _delete_trials(connection: Connection, study: StudyRow, found: DeletionPlan) -> None:
    ids = [trial.id for trial in found.trials]
    for some in chunks(ids):
        connection.execute(delete(rb_study_run).where(rb_study_run.c.trial_id.in_(some)))
    delete_checkpoints(connection, ids, found.numbers)
    delete_work(connection, ids)
    for some in chunks(ids):
        connection.execute(delete(rb_trial).where(rb_trial.c.id.in_(some)))
    if not found.is_whole:
        empty_trials(connection, study.name, {trial.number for trial in found.trials})
        _forget_units(connection, study, found)
        return
    for table in (rb_note, rb_reveal):
        connection.execute(delete(table).where(table.c.study_id == study.id))
    connection.execute(delete(rb_study).where(rb_study.c.id == study.id))
    connection.execute(delete(rb_worker).where(rb_worker.c.study == study.name))
    delete_optunas(connection, study.name)
    end_role(connection, study.name)


def _forget_units(connection: Connection, study: StudyRow, found: DeletionPlan) -> None:
    """Remove the units from the study's spec; they return once its file names them again."""
    spec = parse_study(study.spec, f"study {study.name!r}: spec")
    if "units" in spec:
        spec["units"] = [unit for unit in spec["units"] if unit not in found.units]
    if "wrote" in spec:
        left = set(connection.execute(select(rb_trial.c.unit).where(rb_trial.c.study_id == study.id)).scalars())
        spec["wrote"] = {unit: text for unit, text in spec["wrote"].items() if unit in left}
    text = canonical_json(spec)
    if text != study.spec:
        values = {"spec": text, "digest": sha256(text.encode()).hexdigest()}
        connection.execute(update(rb_study).where(rb_study.c.id == study.id).values(values))


def _fail(connection: Connection, runs: tuple[Run, ...]) -> None:
    """Optuna's trials of runs that were named: their values are means over them."""
    numbers: dict[str, set[int]] = {}
    for some in chunks([run.id for run in runs]):
        query = (
            select(rb_study.c.name, rb_trial.c.number)
            .join(rb_trial, rb_trial.c.study_id == rb_study.c.id)
            .join(rb_study_run, rb_study_run.c.trial_id == rb_trial.c.id)
            .where(rb_study_run.c.run_id.in_(some))
        )
        for study, number in connection.execute(query):
            numbers.setdefault(study, set()).add(number)
    for study, of in numbers.items():
        fail_trials(connection, study, of, "runs were deleted: they wait for the next `study run`")
    delete_checkpoints(connection, (), [run.id for run in runs])


def _delete_runs(connection: Connection, found: DeletionPlan) -> None:
    """Delete the runs, and the rows that nothing refers to any more."""
    environments = set[str]()
    for some in chunks(found.numbers):
        of = select(rb_run.c.environment).where(rb_run.c.id.in_(some)).distinct()
        environments |= set(connection.execute(of).scalars())
        for table in (rb_study_run, rb_note, rb_epoch, rb_test_score, rb_run_plan, rb_weights):
            connection.execute(delete(table).where(table.c.run_id.in_(some)))
        connection.execute(delete(rb_run).where(rb_run.c.id.in_(some)))
    delete_profiles(connection, found.runs, found.trials)
    delete_catalogue(connection, [*found.runs, *found.trials], environments)


def _record(connection: Connection, found: DeletionPlan, by: str) -> None:
    """Record the deletion: one row for the study, or one for each unit or run."""
    looks = [[look.study, look.at, look.by] for look in found.looks]
    if found.study is None:
        for run in found.runs:
            details = {
                **_identity(run),
                "seed": run.seed,
                "status": run.status,
                "studies": [list(use) for use in run.users],
            }
            record_change(connection, by, DELETED, f"run {run.id}", details | {"looks": looks})
    elif found.is_whole:
        details = {
            "digest": found.study.digest, "created_at": found.study.created_at, **_counts(found),
            "units": list(dict.fromkeys(trial.name for trial in found.trials)),
        }  # fmt: skip
        record_change(connection, by, DELETED, f"study {found.study.name}", details | {"looks": looks})
    else:
        runs = Counter(unit for run in found.runs for unit in {unit for _, unit in run.users})
        for unit in found.units:
            trials = [_identity(trial) for trial in found.trials if trial.name == unit]
            details = {"trials": trials, "runs": runs[unit], "looks": looks}
            record_change(connection, by, DELETED, f"unit {unit} of study {found.study.name}", details)


def _counts(found: DeletionPlan) -> dict[str, int]:
    return {
        "runs": len(found.runs), "runs_kept": len(found.kept), "epochs": found.epochs, "test_scores": found.test_scores
    }  # fmt: skip


def _identity(of: Run | Trial) -> dict[str, Any]:
    return {"architecture": of.architecture, "recipe": of.recipe, "data": of.data}
