"""A study -> how fast the training error of each of its runs was still falling at the end."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine, and_, case, select

from resbench.store.connection.transaction import reading, shown
from resbench.store.records import TERMINAL_STATUSES
from resbench.store.results.studies import study_row
from resbench.store.schema.tables import rb_epoch, rb_run, rb_study_run

PART = 10  # the end of a run is its last tenth, and at least its last epoch


@dataclass(frozen=True, slots=True)
class LastEpochs:
    """The end of a run: its length, the training error (percent) of its last epoch, and that of `span` epochs before."""

    epochs: int
    span: int
    before_pct: float
    last_pct: float


def last_epochs(engine: Engine, study: str) -> dict[int, LastEpochs]:
    """Return the ends of runs by the number of the run, without runs of a single epoch. Raises BadInput for an unknown study."""
    span = case((rb_run.c.epochs < 2 * PART, 1), else_=rb_run.c.epochs / PART)
    last, before = rb_epoch.alias("last"), rb_epoch.alias("before")
    with reading(engine) as connection:
        study_id = study_row(connection, study, shown(engine)).id
        mine = select(rb_study_run.c.run_id).where(rb_study_run.c.study_id == study_id, rb_study_run.c.judges)
        query = (
            select(rb_run.c.id, last.c.epoch, before.c.epoch, before.c.train_error_pct, last.c.train_error_pct)
            .join(last, and_(last.c.run_id == rb_run.c.id, last.c.epoch == rb_run.c.epochs))
            .join(before, and_(before.c.run_id == rb_run.c.id, before.c.epoch == rb_run.c.epochs - span))
            .where(rb_run.c.id.in_(mine), rb_run.c.status.in_(TERMINAL_STATUSES))
        )
        return {
            run: LastEpochs(end, end - start, before_pct, last_pct)
            for run, end, start, before_pct, last_pct in connection.execute(query)
            if before_pct is not None and last_pct is not None
        }
