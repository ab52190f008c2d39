"""A study in the database -> rows of plain values: its ranking, its runs, its epochs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, get_args, get_type_hints

from resbench.evidence.leaderboard import leaderboard
from resbench.results.rows import Rows
from resbench.store.edits.notes import notes_on
from resbench.store.open import Engine
from resbench.store.records import EpochRecord
from resbench.store.results.reading import StudyRun, StudySummary, epochs_of_study, list_studies, runs_of_study
from resbench.store.schema.view import View
from resbench.store.schema.views import V_EPOCHS, V_RUNS

_LEADERBOARD_TYPES = {  # whatever the values, so that files of several studies can be read as one table
    **dict.fromkeys(("unit", "digest", "failed"), str),
    **dict.fromkeys(("rank", "n", "converged", "diverged", "missing", "params", "macs", "left_at"), int),
    **dict.fromkeys(("tied_with_best", "on_front", "fails", "skewed"), bool),
    **dict.fromkeys(("median", "mean", "std", "ci_low", "ci_high", "train_s"), float),
    **dict.fromkeys(("converged_share_interval", "median_interval"), list[float]),
    "aliases": list[str],
}


def study_rows(engine: Engine) -> Rows:
    """Return a row a study: study, runs, created_at, notes."""
    notes = notes_on(engine)
    listed = [
        (*asdict(study).values(), [note.text for note in notes if note.study == study.study])
        for study in list_studies(engine)
    ]
    names = (*StudySummary.__slots__, "notes")
    return Rows(names, listed, tuple(zip(names, (str, int, str, list[str]), strict=True)))


def leaderboard_rows(engine: Engine, study: str) -> Rows:
    """Return the ranking as `results top --json` prints it; the columns of further objectives, such as `val_loss_mean`,
    hold numbers.
    """
    rows = [row.as_json() for row in leaderboard(engine, study).rows]
    values = [tuple(list(v) if isinstance(v, tuple) else v for v in row.values()) for row in rows]
    names = tuple(rows[0])
    return Rows(names, values, tuple((name, _LEADERBOARD_TYPES.get(name, float)) for name in names))


def run_rows(engine: Engine, study: str) -> Rows:
    names = [name for name, _ in V_RUNS.columns]
    return _of_view(V_RUNS, [tuple(getattr(run, name) for name in names) for run in runs_of_study(engine, study)])


def epoch_rows(engine: Engine, study: str) -> Rows:
    return _of_view(V_EPOCHS, epochs_of_study(engine, study))


def _of_view(view: View, values: Sequence[tuple[Any, ...]]) -> Rows:
    """Return the rows with the types of the view's columns; whether a value may be missing does not matter to a column."""
    known = get_type_hints(EpochRecord) | get_type_hints(StudyRun)
    names = tuple(name for name, _ in view.columns)
    return Rows(names, values, tuple((name, next(iter(get_args(known[name])), known[name])) for name in names))
