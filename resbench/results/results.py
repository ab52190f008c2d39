"""`resbench.open_results(url)` -> Results: the contents of a database as lists of plain rows, in a notebook or a script.

It gives no test scores: `resbench results top STUDY --test` shows them, and records that they were looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self, get_args, get_type_hints

from resbench.errors import BadInput
from resbench.evidence.leaderboard import leaderboard
from resbench.results.rows import Rows
from resbench.store.edits.notes import notes_on
from resbench.store.open import Engine, open_store
from resbench.store.query.query import query
from resbench.store.records import EpochRecord
from resbench.store.results.reading import StudyRun, StudySummary, epochs_of_study, list_studies, runs_of_study
from resbench.store.schema.view import View
from resbench.store.schema.views import V_EPOCHS, V_RUNS

_LEADERBOARD_TYPES = {  # the same whatever the values are, so that files of several studies can be read as one table
    **dict.fromkeys(("unit", "digest", "failed"), str),
    **dict.fromkeys(("rank", "n", "converged", "diverged", "missing", "params", "macs", "left_at"), int),
    **dict.fromkeys(("tied_with_best", "on_front", "fails", "skewed"), bool),
    **dict.fromkeys(("median", "mean", "std", "ci_low", "ci_high", "train_s"), float),
    **dict.fromkeys(("converged_share_interval", "median_interval"), list[float]),
    "aliases": list[str],
}


class Results:
    """A database opened for reading. Close it, or use it in a `with`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = open_store(url, create=False)

    def studies(self) -> Rows:
        """Return one row per study: study, runs, created_at, notes."""
        notes = notes_on(self._engine)
        listed = [
            (*asdict(study).values(), [note.text for note in notes if note.study == study.study])
            for study in list_studies(self._engine)
        ]
        names = (*StudySummary.__slots__, "notes")
        return Rows(names, listed, tuple(zip(names, (str, int, str, list[str]), strict=True)))

    def leaderboard(self, study: str) -> Rows:
        """Return the ranking, best first, as `resbench results top STUDY --json` prints it.

        Raises BadInput for an unknown study and for one without a finished run.
        """
        return leaderboard_rows(self._engine, study)

    def runs(self, study: str) -> Rows:
        """Return every run of every status, with the columns of the view v_runs."""
        return run_rows(self._engine, study)

    def epochs(self, study: str) -> Rows:
        """Return every epoch of every run, with the columns of the view v_epochs."""
        return epoch_rows(self._engine, study)

    def query(self, sql: str, *, max_rows: int = 1_000_000, timeout_s: float = 30.0) -> Rows:
        """Run one SELECT, which can only read, and return its rows.

        Raises BadInput for more rows than `max_rows`: none is dropped silently.
        """
        result = query(self.url, sql, max_rows=max_rows, timeout_s=timeout_s)
        if result.truncated:
            raise BadInput(f"query: expected at most {max_rows} rows, got more; add a LIMIT, or set a larger max_rows")
        return Rows(result.columns, result.rows)

    def close(self) -> None:
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_results(url: str | Path) -> Results:
    """Open the database at a path or a URL, as `--db` takes it. Raises DatabaseError where it is no database of resbench's."""
    return Results(str(url))


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
    """Return rows with the types of a view's columns; `T | None` counts as `T`, since any column of a frame may have gaps."""
    known = get_type_hints(EpochRecord) | get_type_hints(StudyRun)
    names = tuple(name for name, _ in view.columns)
    return Rows(names, values, tuple((name, next(iter(get_args(known[name])), known[name])) for name in names))
