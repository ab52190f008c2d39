"""A request to delete -> the plan: all that is deleted with it, and what stays since it is used elsewhere.  Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, func, select

from resbench.did_you_mean import did_you_mean
from resbench.errors import BadInput
from resbench.store.checkpoints.weights import KeptWeights
from resbench.store.connection.transaction import reading, shown
from resbench.store.edits.changes import deleted_before
from resbench.store.records import StudyRow
from resbench.store.results.studies import study_row
from resbench.store.schema.tables import (
    rb_epoch,
    rb_reveal,
    rb_run,
    rb_study,
    rb_study_run,
    rb_test_score,
    rb_trial,
    rb_weights,
)
from resbench.store.schema.values import WHOLE

T = TypeVar("T")
AT_ONCE = 500  # SQLite before 3.32 takes 999 parameters


@dataclass(frozen=True, slots=True)
class DeletionRequest:
    """A request to delete a study, or some of its units by their whole names, or runs by their numbers."""

    study: str | None = None
    units: tuple[str, ...] = ()
    runs: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """A run with its users: (study, unit) pairs."""

    id: int
    architecture: str
    recipe: str
    data: str
    seed: int
    status: str
    users: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Trial:
    id: int
    number: int
    name: str
    architecture: str
    recipe: str
    data: str


@dataclass(frozen=True, slots=True)
class ScoreReveal:
    """A look at the test scores of a study."""

    study: str
    at: str
    by: str


@dataclass(frozen=True, slots=True)
class DeletionPlan:
    """`study`: whose trials go; None where runs were named. `runs` go, `kept` stay and are only unlinked from the study.

    `weights`: those that are kept of the runs that go.
    """

    study: StudyRow | None
    units: tuple[str, ...]
    trials: tuple[Trial, ...]
    runs: tuple[Run, ...]
    kept: tuple[Run, ...]
    epochs: int
    test_scores: int
    looks: tuple[ScoreReveal, ...]
    weights: tuple[KeptWeights, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether the whole study is deleted."""
        return self.study is not None and not self.units

    @property
    def studies(self) -> list[str]:
        """The names of the studies that lose trials or runs."""
        own = [] if self.study is None else [self.study.name]
        return list(dict.fromkeys([*own, *(study for run in self.runs for study, _ in run.users)]))

    @property
    def numbers(self) -> list[int]:
        return [run.id for run in self.runs]


def plan_deletion(engine: Engine, request: DeletionRequest) -> DeletionPlan:
    """Plan a deletion. Raises BadInput for a missing study, unit or run, with the time of its deletion if it was deleted."""
    with reading(engine) as connection:
        return deletion_plan(connection, request, shown(engine))


def deletion_plan(connection: Connection, request: DeletionRequest, where: str) -> DeletionPlan:
    """Plan a deletion inside a transaction; `where` names the database in messages."""
    study = None if request.study is None else study_row(connection, request.study, where)
    trials: tuple[Trial, ...] = ()
    kept: tuple[Run, ...] = ()
    if study is None:
        runs = _named(connection, request.runs, where)
    else:
        trials = _trials(connection, study, request.units)
        runs, kept = _split(connection, study, {trial.id for trial in trials})
    ids = [run.id for run in runs]
    losing = [*([] if study is None else [study.name]), *(name for run in runs for name, _ in run.users)]
    return DeletionPlan(
        study, tuple(dict.fromkeys(request.units)), trials, runs, kept,
        _count(connection, rb_epoch, ids), _count(connection, rb_test_score, ids), _looks(connection, losing),
        _weights(connection, ids),
    )  # fmt: skip


def chunks(ids: Sequence[T]) -> Iterator[Sequence[T]]:
    return (ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE))


def _trials(connection: Connection, study: StudyRow, units: Sequence[str]) -> tuple[Trial, ...]:
    columns = [rb_trial.c[name] for name in Trial.__slots__]
    query = select(*columns).where(rb_trial.c.study_id == study.id).order_by(rb_trial.c.number)
    trials = tuple(Trial(*row) for row in connection.execute(query))
    names = list(dict.fromkeys(trial.name for trial in trials))
    for unit in units:
        if unit not in names:
            gone = deleted_before(connection, f"unit {unit} of study {study.name}")
            raise BadInput(
                f"no unit of study {study.name} is called `{unit}`{gone}{did_you_mean(unit, names)}; "
                f"units: {', '.join(names) or 'none'}"
            )
    return trials if not units else tuple(trial for trial in trials if trial.name in units)


def _named(connection: Connection, numbers: Iterable[int], where: str) -> tuple[Run, ...]:
    wanted = list(dict.fromkeys(numbers))
    unknown = [number for number in wanted if not WHOLE.holds(number)]
    found = {run.id: run for run in _runs(connection, [n for n in wanted if WHOLE.holds(n)])}
    for number in (*unknown, *(n for n in wanted if n not in found)):
        gone = deleted_before(connection, f"run {number}")
        raise BadInput(
            f"no run {number} in {where}{gone}; `resbench results top STUDY` and the view v_runs show numbers"
        )
    return tuple(found[number] for number in wanted)


def _split(connection: Connection, study: StudyRow, trials: set[int]) -> tuple[tuple[Run, ...], tuple[Run, ...]]:
    """Return the runs of the trials: those that nothing else uses, and those that another study or another trial uses."""
    query = select(rb_study_run.c.run_id, rb_study_run.c.trial_id).where(rb_study_run.c.study_id == study.id)
    mine = list(dict.fromkeys(run for run, trial in connection.execute(query) if trial in trials))
    used = set[int]()
    for some in chunks(mine):
        links = select(rb_study_run.c.run_id, rb_study_run.c.trial_id).where(rb_study_run.c.run_id.in_(some))
        used |= {run for run, trial in connection.execute(links) if trial not in trials}
    runs = _runs(connection, sorted(mine))
    return tuple(run for run in runs if run.id not in used), tuple(run for run in runs if run.id in used)


def _runs(connection: Connection, ids: Sequence[int]) -> list[Run]:
    found: list[Run] = []
    for some in chunks(ids):
        users: dict[int, list[tuple[str, str]]] = {}
        links = (
            select(rb_study_run.c.run_id, rb_study.c.name, rb_trial.c.name)
            .join(rb_study, rb_study.c.id == rb_study_run.c.study_id)
            .join(rb_trial, rb_trial.c.id == rb_study_run.c.trial_id)
            .where(rb_study_run.c.run_id.in_(some))
            .order_by(rb_study.c.name, rb_trial.c.name)
        )
        for run, study, unit in connection.execute(links):
            users.setdefault(run, []).append((study, unit))
        columns = [rb_run.c[name] for name in Run.__slots__ if name != "users"]
        rows = connection.execute(select(*columns).where(rb_run.c.id.in_(some)).order_by(rb_run.c.id)).mappings()
        found += [Run(**row, users=tuple(dict.fromkeys(users.get(row["id"], ())))) for row in rows]
    return found


def _count(connection: Connection, table: Any, ids: Sequence[int]) -> int:
    of = table.c.run_id
    return sum(
        int(connection.execute(select(func.count()).select_from(table).where(of.in_(some))).scalar_one())
        for some in chunks(ids)
    )


def _weights(connection: Connection, ids: Sequence[int]) -> tuple[KeptWeights, ...]:
    found: list[KeptWeights] = []
    for some in chunks(ids):
        query = select(rb_weights).where(rb_weights.c.run_id.in_(some)).order_by(rb_weights.c.run_id)
        found += [KeptWeights(**row) for row in connection.execute(query).mappings()]
    return tuple(found)


def _looks(connection: Connection, studies: Sequence[str]) -> tuple[ScoreReveal, ...]:
    query = (
        select(rb_study.c.name, rb_reveal.c.revealed_at, rb_reveal.c.revealed_by)
        .join(rb_study, rb_study.c.id == rb_reveal.c.study_id)
        .order_by(rb_reveal.c.id)
    )
    return tuple(ScoreReveal(*row) for row in connection.execute(query) if row.name in studies)
