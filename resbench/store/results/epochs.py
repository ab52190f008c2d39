"""A study -> the epochs and the environments of its runs, which pictures and the report show beside the ranking."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine, select

from resbench.store.connection.transaction import reading, shown
from resbench.store.records import EnvironmentRecord, EpochRecord
from resbench.store.results.catalogue import get_environment
from resbench.store.results.reading import runs_of_study
from resbench.store.results.studies import study_row
from resbench.store.schema.tables import rb_epoch, rb_run, rb_study_run


@dataclass(frozen=True, slots=True)
class EnvironmentUse:
    """An environment, with the runs of a study that were trained in it."""

    environment: EnvironmentRecord
    run_ids: tuple[int, ...]
    first: str
    last: str


def epochs_of_study(engine: Engine, study: str) -> dict[int, tuple[EpochRecord, ...]]:
    """Return every epoch of every run of a study by the run's number, in one query. Raises BadInput for an unknown study."""
    columns = [rb_epoch.c[name] for name in EpochRecord.__slots__]
    with reading(engine) as connection:
        found = study_row(connection, study, shown(engine))
        own = select(rb_study_run.c.run_id).where(rb_study_run.c.study_id == found.id)
        query = select(rb_epoch.c.run_id, *columns).where(rb_epoch.c.run_id.in_(own))
        rows = connection.execute(query.order_by(rb_epoch.c.run_id, rb_epoch.c.epoch)).all()
    epochs: dict[int, list[EpochRecord]] = {}
    for run_id, *values in rows:
        epochs.setdefault(run_id, []).append(EpochRecord(*values))
    return {run_id: tuple(of) for run_id, of in epochs.items()}


def environments_of_study(engine: Engine, study: str) -> list[EnvironmentUse]:
    """Return the environments of a study's runs, the oldest first."""
    made = {run.run_id: run.created_at for run in runs_of_study(engine, study)}
    with reading(engine) as connection:
        found = study_row(connection, study, shown(engine))
        own = select(rb_study_run.c.run_id).where(rb_study_run.c.study_id == found.id)
        query = select(rb_run.c.environment, rb_run.c.id).where(rb_run.c.id.in_(own)).order_by(rb_run.c.id)
        rows = connection.execute(query).all()
    runs: dict[str, list[int]] = {}
    for digest, run_id in rows:
        runs.setdefault(digest, []).append(run_id)
    uses = []
    for digest, ids in runs.items():
        dates = sorted(made[run_id] for run_id in ids if run_id in made)
        uses.append(EnvironmentUse(get_environment(engine, digest), tuple(ids), dates[0], dates[-1]))
    return sorted(uses, key=lambda one: (one.first, one.run_ids))
