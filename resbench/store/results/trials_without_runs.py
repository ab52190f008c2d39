"""A study -> its trials without a finished run: the cost of each, and why its cell failed, if it did."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, and_, select

from resbench.store.connection.transaction import reading, shown
from resbench.store.records import TERMINAL_STATUSES, cause
from resbench.store.results.studies import study_row
from resbench.store.schema.tables import rb_architecture, rb_cost, rb_data, rb_run, rb_study_run, rb_trial
from resbench.store.schema.work_tables import rb_attempt, rb_cell


@dataclass(frozen=True, slots=True)
class UntrainedUnit:
    """A unit without a finished run. `failed` is why its newest failed cell failed; None where none did. `macs` is per image."""

    unit: str
    digest: str
    recipe_digest: str
    params: int
    macs: int | None
    failed: str | None


def untrained_units(engine: Engine, study: str) -> list[UntrainedUnit]:
    """Return the active trials without a finished run, by number. Raises BadInput for an unknown study."""
    ended = (
        select(rb_study_run.c.trial_id)
        .join(rb_run, rb_run.c.id == rb_study_run.c.run_id)
        .where(rb_study_run.c.trial_id == rb_trial.c.id, rb_run.c.status.in_(TERMINAL_STATUSES), rb_study_run.c.judges)
    )
    cost = and_(rb_cost.c.architecture == rb_trial.c.architecture, rb_cost.c.input_shape == rb_data.c.input_shape)
    with reading(engine) as connection:
        study_id = study_row(connection, study, shown(engine)).id
        trials = (
            select(
                rb_trial.c.id, rb_trial.c.name, rb_trial.c.architecture, rb_trial.c.recipe, rb_architecture.c.params,
                rb_cost.c.macs,
            )
            .join(rb_architecture, rb_architecture.c.digest == rb_trial.c.architecture)
            .join(rb_data, rb_data.c.digest == rb_trial.c.data)
            .outerjoin(rb_cost, cost)
            .where(rb_trial.c.study_id == study_id, rb_trial.c.active, ~ended.exists())
            .order_by(rb_trial.c.number)
        )  # fmt: skip
        why = _causes(connection, study_id)
        return [
            UntrainedUnit(unit, digest, recipe, params, macs, why.get(trial))
            for trial, unit, digest, recipe, params, macs in connection.execute(trials)
        ]


def causes_of_failure(engine: Engine, study_id: int) -> dict[int, str]:
    """Return, by the id of the trial, why its newest failed cell failed."""
    with reading(engine) as connection:
        return _causes(connection, study_id)


def _causes(connection: Connection, study_id: int) -> dict[int, str]:
    failed = (
        select(rb_cell.c.trial_id, rb_cell.c.error)
        .join(rb_attempt, (rb_attempt.c.cell_id == rb_cell.c.id) & (rb_attempt.c.token == rb_cell.c.token))
        .join(rb_trial, rb_trial.c.id == rb_cell.c.trial_id)
        .where(rb_trial.c.study_id == study_id, rb_cell.c.status == "failed", rb_attempt.c.outcome == "failed")
        .order_by(rb_cell.c.id)
    )
    return {trial: cause(error) for trial, error in connection.execute(failed)}
