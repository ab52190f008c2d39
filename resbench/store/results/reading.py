"""Rows -> plain records for ranking and display.  Only `test_scores` returns test scores, and it records who looked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Select, TableClause, column, distinct, func, insert, select, table
from sqlalchemy.types import TypeEngine

from resbench.errors import BadInput
from resbench.store.connection.transaction import reading, shown, writing
from resbench.store.records import (
    ArchitectureRecord,
    DataRecord,
    EnvironmentRecord,
    EpochRecord,
    RecipeRecord,
    RunRow,
    now,
)
from resbench.store.results.catalogue import get_architecture, get_data, get_environment, get_recipe
from resbench.store.results.studies import study_row
from resbench.store.schema.columns import CheckedType, FlagType, IntegerType, NumberType
from resbench.store.schema.tables import (
    rb_cost,
    rb_epoch,
    rb_reveal,
    rb_run,
    rb_study,
    rb_study_run,
    rb_test_score,
    rb_trial,
)
from resbench.store.schema.values import WHOLE
from resbench.store.schema.view import View
from resbench.store.schema.views import V_EPOCHS, V_RUNS


@dataclass(frozen=True, slots=True)
class StudyRun:
    """A run as a study shows it: a row of the view v_runs, with the same columns."""

    study: str
    unit: str
    trial: int
    active: bool
    digest: str
    network: str
    recipe: str
    recipe_digest: str
    data: str
    data_digest: str
    seed: int
    status: str
    val_error_pct: float | None
    val_loss: float | None
    train_loss: float | None
    epochs: int
    params: int
    macs: int | None
    train_s: float | None
    wall_s: float | None
    run_id: int
    created_at: str
    error: str | None
    judges: bool = True


@dataclass(frozen=True, slots=True)
class StudySummary:
    """A study with the number of its runs, of every status."""

    study: str
    runs: int
    created_at: str


@dataclass(frozen=True, slots=True)
class RunDetail:
    """A run with its provenance. `studies` are (study, unit) pairs; `macs` is for one image of its data set."""

    run: RunRow
    architecture: ArchitectureRecord
    recipe: RecipeRecord
    data: DataRecord
    environment: EnvironmentRecord
    macs: int | None
    epochs: tuple[EpochRecord, ...]
    studies: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class TestRow:
    """The test score of one complete run."""

    __test__ = False  # not a test class of pytest's

    unit: str
    digest: str
    seed: int
    run_id: int
    test_error_pct: float | None
    test_loss: float | None


@dataclass(frozen=True, slots=True)
class Reveal:
    revealed_at: str
    revealed_by: str


_WHOLE = frozenset(("trial", "seed", "epochs", "epoch", "params", "macs", "run_id", "number"))
_FLAGS = frozenset(("active", "judges"))
_NUMBERS = frozenset(("lr", "variance", "gradient_norm"))


def typed(view: View) -> TableClause:
    """Return the view with the types of its columns, so that reading an invalid value raises."""

    def kind(name: str) -> TypeEngine[Any]:
        if name in _FLAGS:
            return FlagType(name, nullable=False)
        if name in _WHOLE:
            return IntegerType(name, nullable=name == "macs")
        if name in _NUMBERS or name.endswith(("_pct", "_loss", "_s")):
            return NumberType(name)
        return CheckedType(name, nullable=name == "error")

    return table(view.name, *(column(name, kind(name)) for name, _ in view.columns))


_RUNS, _EPOCHS = typed(V_RUNS), typed(V_EPOCHS)


def runs_of_study(engine: Engine, study: str) -> list[StudyRun]:
    """Return every run of a study, of every status, by trial and seed. Raises BadInput for an unknown study."""
    with reading(engine) as connection:
        study_row(connection, study, shown(engine))
        rows = connection.execute(_in_order(study)).all()
    return [StudyRun(*row) for row in rows]  # by name takes three times as long


def list_studies(engine: Engine) -> list[StudySummary]:
    """Return every study, by name, with the number of its runs."""
    runs = func.count(distinct(rb_study_run.c.run_id))
    query = (
        select(rb_study.c.name, runs, rb_study.c.created_at)
        .outerjoin(rb_study_run, rb_study_run.c.study_id == rb_study.c.id)
        .group_by(rb_study.c.id, rb_study.c.name, rb_study.c.created_at)
        .order_by(rb_study.c.name)
    )
    with reading(engine) as connection:
        return [StudySummary(*row) for row in connection.execute(query)]


def epochs_of_study(engine: Engine, study: str) -> list[tuple[Any, ...]]:
    """Return the rows of the view v_epochs, by unit, seed and epoch. Raises BadInput for an unknown study."""
    order = (_EPOCHS.c[name] for name in ("unit", "digest", "seed", "run_id", "epoch"))
    with reading(engine) as connection:
        study_row(connection, study, shown(engine))
        rows = connection.execute(select(_EPOCHS).where(_EPOCHS.c.study == study).order_by(*order))
        return [tuple(row) for row in rows]


def run_detail(engine: Engine, run_id: int) -> RunDetail:
    """Return a run with its provenance. Raises BadInput where no run has this number."""
    with reading(engine) as connection:
        known = select(rb_run).where(rb_run.c.id == run_id)  # SQLite accepts no larger number, not even in a comparison
        row = connection.execute(known).mappings().first() if WHOLE.holds(run_id) else None
        if row is None:
            raise BadInput(
                f"no run {run_id} in {shown(engine)}; `resbench results top STUDY` and the view v_runs show numbers"
            )
        run = RunRow(**row)
        epochs = _epochs(connection, run_id)
        studies = _studies(connection, run_id)
        costs = {row.input_shape: row.macs for row in connection.execute(_costs(run.architecture))}
    data = get_data(engine, run.data)
    return RunDetail(
        run=run,
        architecture=get_architecture(engine, run.architecture),
        recipe=get_recipe(engine, run.recipe),
        data=data,
        environment=get_environment(engine, run.environment),
        macs=costs.get(data.input_shape),
        epochs=epochs,
        studies=studies,
    )


def test_scores(engine: Engine, study: str, by: str) -> list[TestRow]:
    """Return the test scores of a study's complete runs, and record atomically that they were looked at, and by whom.

    Nothing is recorded where there is no score.
    """
    with writing(engine) as connection:
        found = study_row(connection, study, shown(engine))
        query = (
            _in_order(study)
            .with_only_columns(
                *(_RUNS.c[name] for name in ("unit", "digest", "seed", "run_id")),
                rb_test_score.c.sealed,
                _RUNS.c.judges,
            )
            .join(rb_test_score, rb_test_score.c.run_id == _RUNS.c.run_id)
            .where(_RUNS.c.status == "complete")
        )
        rows = [
            TestRow(row.unit, row.digest, row.seed, row.run_id, row.sealed.test_error_pct, row.sealed.test_loss)
            for row in connection.execute(query)
            if row.judges  # read, so that the flag is checked
        ]
        if rows:
            connection.execute(insert(rb_reveal).values(study_id=found.id, revealed_at=now(), revealed_by=by))
        return rows


def reveals(engine: Engine, study: str) -> list[Reveal]:
    """Return the looks at this study's test scores, oldest first."""
    with reading(engine) as connection:
        found = study_row(connection, study, shown(engine))
        query = select(rb_reveal.c.revealed_at, rb_reveal.c.revealed_by).where(rb_reveal.c.study_id == found.id)
        return [Reveal(**row) for row in connection.execute(query.order_by(rb_reveal.c.id)).mappings()]


def _in_order(study: str) -> Select[Any]:
    return select(_RUNS).where(_RUNS.c.study == study).order_by(_RUNS.c.trial, _RUNS.c.seed, _RUNS.c.run_id)


def _epochs(connection: Connection, run_id: int) -> tuple[EpochRecord, ...]:
    columns = [rb_epoch.c[name] for name in EpochRecord.__slots__]
    query = select(*columns).where(rb_epoch.c.run_id == run_id).order_by(rb_epoch.c.epoch)
    return tuple(EpochRecord(**row) for row in connection.execute(query).mappings())


def _studies(connection: Connection, run_id: int) -> tuple[tuple[str, str], ...]:
    query = (
        select(rb_study.c.name, rb_trial.c.name)
        .join(rb_study_run, rb_study_run.c.study_id == rb_study.c.id)
        .join(rb_trial, rb_trial.c.id == rb_study_run.c.trial_id)
        .where(rb_study_run.c.run_id == run_id)
        .distinct()
        .order_by(rb_study.c.name, rb_trial.c.name)
    )
    return tuple((study, unit) for study, unit in connection.execute(query))


def _costs(architecture: str) -> Select[tuple[str, int]]:
    return select(rb_cost.c.input_shape, rb_cost.c.macs).where(rb_cost.c.architecture == architecture)
