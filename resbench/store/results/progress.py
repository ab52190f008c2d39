"""A study -> its progress: its cells, their workers and leases, failures, and the estimated time left."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Any

from sqlalchemy import Connection, Engine, Select, func, select

from resbench.store.connection.dialect import clock
from resbench.store.connection.transaction import reading, shown
from resbench.store.queue.leadership import coordinator_of, role_holder
from resbench.store.queue.workers import workers_of
from resbench.store.records import WorkerRow
from resbench.store.results.studies import study_row
from resbench.store.schema.tables import rb_run, rb_study_run, rb_trial
from resbench.store.schema.values import SEEDS, parse_list
from resbench.store.schema.work_tables import rb_attempt, rb_cell

STATUSES = ("queued", "running", "done", "failed")
NEWEST = 200  # runs from which the time left is estimated


@dataclass(frozen=True, slots=True)
class RunningCell:
    """A running cell. `lease_s` is the time until its claim ends unless renewed; below 0 it may be taken over. `attempt` counts
    from 1.
    """

    cell: int
    unit: str
    seeds: tuple[int, ...]
    worker: str | None
    since: str | None
    lease_s: float
    attempt: int


@dataclass(frozen=True, slots=True)
class FailedCell:
    cell: int
    unit: str
    seeds: tuple[int, ...]
    attempts: int
    kind: str | None
    error: str


@dataclass(frozen=True, slots=True)
class StudyStatus:
    """The progress of a study.

    Attributes:
        runs_left: the number of runs of open cells.
        wall_s: the median duration of the newest runs; None before there are any.
        left_s: the estimated time left, with the cells that are running now.
    """

    study: str
    coordinator: str | None
    cells: dict[str, int]
    running: list[RunningCell]
    failed: list[FailedCell]
    workers: list[WorkerRow]
    runs: int
    runs_left: int
    wall_s: float | None
    left_s: float | None


def study_status(engine: Engine, study: str) -> StudyStatus:
    """Return the progress of a study. Raises BadInput for an unknown study."""
    with reading(engine) as connection:
        study_id = study_row(connection, study, shown(engine)).id
        cells = dict.fromkeys(STATUSES, 0) | _counts(connection, study_id)
        running, failed = _running(connection, study_id), _failed(connection, study_id)
        seeds_left = sum(
            len(parse_list(seeds, "rb_cell: seeds", SEEDS))
            for seeds in connection.execute(_open_seeds(study_id)).scalars()
        )
        walls = [wall_s for wall_s in connection.execute(_walls(study_id)).scalars() if wall_s is not None]
        runs = connection.execute(
            select(func.count(func.distinct(rb_study_run.c.run_id))).where(rb_study_run.c.study_id == study_id)
        ).scalar_one()
    wall_s = median(walls) if walls else None
    left_s = wall_s * seeds_left / len(running) if wall_s is not None and running else None
    return StudyStatus(
        study, role_holder(engine, coordinator_of(study)), cells, running, failed, workers_of(engine, study),
        int(runs), seeds_left, wall_s, left_s,
    )  # fmt: skip


def _counts(connection: Connection, study_id: int) -> dict[str, int]:
    query = (
        select(rb_cell.c.status, func.count())
        .join(rb_trial, rb_trial.c.id == rb_cell.c.trial_id)
        .where(rb_trial.c.study_id == study_id)
        .group_by(rb_cell.c.status)
    )
    return {status: int(count) for status, count in connection.execute(query)}


def _running(connection: Connection, study_id: int) -> list[RunningCell]:
    left = (rb_cell.c.lease_until - clock(connection)).label("lease_s")
    query = (
        select(rb_cell, rb_trial.c.name, left)
        .join(rb_trial, rb_trial.c.id == rb_cell.c.trial_id)
        .where(rb_trial.c.study_id == study_id, rb_cell.c.status == "running")
        .order_by(rb_cell.c.id)
    )
    return [
        RunningCell(
            row.id, row.name, tuple(parse_list(row.seeds, f"rb_cell {row.id}: seeds", SEEDS)), row.claimed_by, row.claimed_at,
            float(row.lease_s or 0), row.token,
        )
        for row in connection.execute(query)
    ]  # fmt: skip


def _failed(connection: Connection, study_id: int) -> list[FailedCell]:
    """Return those that an attempt ended, the newest first; a cell that was only planned again has none."""
    ended = (rb_attempt.c.cell_id == rb_cell.c.id) & (rb_attempt.c.token == rb_cell.c.token)
    query = (
        select(rb_cell.c.id, rb_trial.c.name, rb_cell.c.seeds, rb_cell.c.token, rb_attempt.c.kind, rb_cell.c.error)
        .join(rb_trial, rb_trial.c.id == rb_cell.c.trial_id)
        .join(rb_attempt, ended)
        .where(rb_trial.c.study_id == study_id, rb_cell.c.status == "failed", rb_attempt.c.outcome == "failed")
        .order_by(rb_cell.c.id.desc())
    )
    return [
        FailedCell(cell, unit, tuple(parse_list(seeds, f"rb_cell {cell}: seeds", SEEDS)), attempts, kind, error or "")
        for cell, unit, seeds, attempts, kind, error in connection.execute(query)
    ]


def _open_seeds(study_id: int) -> Select[Any]:
    is_open = rb_cell.c.status.in_(("queued", "running"))
    return (
        select(rb_cell.c.seeds)
        .join(rb_trial, rb_trial.c.id == rb_cell.c.trial_id)
        .where(rb_trial.c.study_id == study_id, is_open)
    )


def _walls(study_id: int) -> Select[Any]:
    return (
        select(rb_run.c.wall_s)
        .join(rb_study_run, rb_study_run.c.run_id == rb_run.c.id)
        .where(rb_study_run.c.study_id == study_id)
        .order_by(rb_run.c.id.desc())
        .limit(NEWEST)
    )
