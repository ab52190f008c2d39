"""Rename a study: its row, Optuna's study, its workers.  Nothing else holds the name: runs and trials refer to its id."""

from __future__ import annotations

from sqlalchemy import Engine, select, update

from resbench.errors import BadInput
from resbench.language.names import why_not
from resbench.store.connection.dialect import lock_rows
from resbench.store.connection.transaction import shown, writing
from resbench.store.edits.changes import record_change
from resbench.store.optuna.rows import is_optunas, rename_optunas
from resbench.store.queue.holders import IsGone, end_role, refuse_held
from resbench.store.results.studies import study_row
from resbench.store.schema.change_tables import RENAMED
from resbench.store.schema.tables import rb_study
from resbench.store.schema.work_tables import rb_lease, rb_worker


def rename_study(engine: Engine, old: str, new: str, by: str, is_gone: IsGone) -> None:
    """Rename a study. Raises BadInput for an unknown study, an illegal or taken name, and while a process works on the study."""
    reason = why_not(new)
    if reason:
        raise BadInput(f"a study's new name: {reason}")
    with writing(engine) as connection:
        lock_rows(connection, (rb_study, rb_worker, rb_lease))
        study = study_row(connection, old, shown(engine))
        taken = connection.execute(select(rb_study.c.id).where(rb_study.c.name == new)).first() is not None
        if taken or (new != old and is_optunas(connection, new)):
            whose = "there is a study of that name" if taken else "Optuna has a study of that name"
            raise BadInput(f"{new}: expected a name that is free in {shown(engine)}, but {whose}; give another")
        for name in (old, new):
            refuse_held(connection, name, is_gone, "renamed")
        connection.execute(update(rb_study).where(rb_study.c.id == study.id).values(name=new))
        connection.execute(update(rb_worker).where(rb_worker.c.study == old).values(study=new))
        rename_optunas(connection, old, new)
        end_role(connection, old)
        record_change(connection, by, RENAMED, f"study {old}", {"name": new})
