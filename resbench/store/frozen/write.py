"""A study in a database -> a frozen benchmark, which resbench.tabular reads with no database and no training.

It holds the active units of the study, their finished runs of every seed, every epoch, costs, recipe, data and environments. It
holds no test scores, unless `test_for` names the person who asked for them; then a look at them is recorded.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Select, Table, false, func, insert, select

from resbench import __version__
from resbench.errors import BadInput, DatabaseError
from resbench.store.connection.new_file import check_place
from resbench.store.connection.transaction import location_of, reading, shown, writing
from resbench.store.records import TRAINED_STATUSES, StudyRow, now
from resbench.store.results.spec_parts import parse_study
from resbench.store.results.studies import study_row
from resbench.store.schema.columns import CheckedType, kind_of
from resbench.store.schema.frozen import add, make, write_whole
from resbench.store.schema.tables import (
    rb_architecture,
    rb_cost,
    rb_data,
    rb_environment,
    rb_epoch,
    rb_recipe,
    rb_reveal,
    rb_run,
    rb_study_run,
    rb_test_score,
    rb_trial,
)
from resbench.store.schema.values import parse_object

ARCHITECTURE = ("digest", "network", "unit", "spec", "params", "depth")
RECIPE = ("digest", "name", "spec")
DATA = ("digest", "name", "input_shape", "classes", "n_train", "n_val", "n_test", "settings")
ENVIRONMENT = (
    "digest", "package_version", "git_commit", "git_dirty", "python", "torch", "device", "threads", "deterministic",
    "tf32", "plugins", "platform",
)  # fmt: skip
RUN = (
    "id", "architecture", "recipe", "data", "seed", "status", "val_error_pct", "val_loss", "train_loss", "epochs",
    "train_s", "wall_s", "environment", "created_at",
)  # fmt: skip
COST = ("architecture", "input_shape", "macs", "memory_mib")
EPOCH = ("run_id", "epoch", "lr", "train_loss", "train_error_pct", "val_loss", "val_error_pct", "train_s")
AT_ONCE = 500  # SQLite before 3.32 takes 999 parameters
Keys = Sequence[str] | Sequence[int]


def freeze(engine: Engine, study: str, out: Path, *, test_for: str | None = None, force: bool = False) -> None:
    """Write a study to a new file. Raises BadInput for an unknown study, one without a finished run, and an occupied name."""
    path = location_of(engine).path
    sources = [] if path is None else [path]
    check_place(out, sources, force=force)
    with reading(engine) as connection:
        found = study_row(connection, study, shown(engine))
        if connection.execute(_runs(found).limit(1)).first() is None:
            raise BadInput(f"study {study} has no finished run yet; `resbench study run` trains them")
    if test_for is not None:  # before they are read: no kill comes between
        with writing(engine) as connection:
            connection.execute(insert(rb_reveal).values(study_id=found.id, revealed_at=now(), revealed_by=test_for))
    try:
        with reading(engine) as connection:
            fill = partial(_fill, source=connection, study=found, test=test_for is not None)
            write_whole(out, fill, sources=sources, force=force)
    except sqlite3.IntegrityError as error:
        raise DatabaseError(f"{shown(engine)}: its rows contradict each other ({error}); nothing was written") from None


def _runs(study: StudyRow) -> Select[Any]:
    """Return a query for the finished runs of the study's active units: their ids, digests and flags."""
    judges, active = rb_study_run.c.judges, rb_trial.c.active
    return (
        select(rb_run.c.id, rb_run.c.architecture, rb_run.c.recipe, rb_run.c.data, rb_run.c.environment, judges, active)
        .join(rb_study_run, rb_study_run.c.run_id == rb_run.c.id)
        .join(rb_trial, rb_trial.c.id == rb_study_run.c.trial_id)
        .where(rb_study_run.c.study_id == study.id, rb_run.c.status.in_(TRAINED_STATUSES))
        .where(judges.is_not(false()), active.is_not(false()))  # a value that is no flag is read too, and then refused
        .distinct()
        .order_by(rb_run.c.id)
    )


def _fill(file: sqlite3.Connection, source: Connection, study: StudyRow, *, test: bool) -> None:
    runs = source.execute(_runs(study)).all()
    make(file, {"made_by": f"resbench {__version__}", "test_scores": "yes" if test else "no"})
    parse_study(study.spec, f"study {study.name!r}: spec")
    add(file, "study", [(study.name, study.spec, study.created_at)])
    for place, table, columns in (
        (1, rb_architecture, ARCHITECTURE), (2, rb_recipe, RECIPE), (3, rb_data, DATA), (4, rb_environment, ENVIRONMENT),
        (1, rb_cost, COST),
    ):  # fmt: skip
        _copy(file, source, table, columns, sorted({run[place] for run in runs}))
    add(file, "unit", _units(source, study, {(run.architecture, run.recipe, run.data) for run in runs}))
    ids = [run.id for run in runs]
    _copy(file, source, rb_run, RUN, ids)
    _copy(file, source, rb_epoch, EPOCH, ids)
    if test:
        _copy_test_scores(file, source, ids)


def _copy_test_scores(file: sqlite3.Connection, source: Connection, ids: Sequence[int]) -> None:
    """Copy test scores as plain numbers: they were asked for, and programs read the file without resbench."""
    for start in range(0, len(ids), AT_ONCE):
        some = rb_test_score.c.run_id.in_(ids[start : start + AT_ONCE])
        rows = source.execute(select(rb_test_score).where(some).order_by(rb_test_score.c.run_id))
        add(file, "test_score", [(row.run_id, row.sealed.test_error_pct, row.sealed.test_loss) for row in rows])


def _units(source: Connection, study: StudyRow, trained: set[tuple[str, str, str]]) -> list[tuple[Any, ...]]:
    """Return one row per name, of the first trial that has it; names without a run are not in the file."""
    t = rb_trial.c
    columns = (t.name, t.params, t.number, t.architecture, t.recipe, t.data)
    wanted = select(*columns).where(t.study_id == study.id, t.active.is_not(false()))
    trials = source.execute(wanted.order_by(t.number)).all()
    named = {trial.name: trial for trial in reversed(trials) if tuple(trial[3:]) in trained}
    for trial in named.values():
        parse_object(trial.params, f"rb_trial {trial.name!r}: params")
    return [(study.name, *trial) for trial in sorted(named.values(), key=lambda trial: trial.number)]


_JUDGED = {  # a frozen epoch holds the recomputed values by which the run was evaluated, where there are any
    name: func.coalesce(rb_epoch.c[f"recomputed_{name}"], rb_epoch.c[name]) for name in ("val_loss", "val_error_pct")
}


def _copy(file: sqlite3.Connection, source: Connection, table: Table, columns: tuple[str, ...], keys: Keys) -> None:
    """Copy the rows whose first column is one of the keys into the table of the same name without `rb_`."""
    judged = _JUDGED if table is rb_epoch else {}
    texts = [
        (n, name, kind_of(table.c[name])) for n, name in enumerate(columns) if type(table.c[name].type) is CheckedType
    ]
    for start in range(0, len(keys), AT_ONCE):
        some = table.c[columns[0]].in_(keys[start : start + AT_ONCE])
        rows = source.execute(
            select(*(judged.get(name, table.c[name]) for name in columns)).where(some).order_by(*table.primary_key)
        ).all()
        for place, name, kind in texts:
            for row in rows:
                if row[place] is not None:
                    kind.check(f"{table.name} {row[0]}: {name}", row[place])
        add(file, table.name.removeprefix("rb_"), rows)
