"""A study in the database -> optuna-dashboard on the same file: our metric's name, the units' names, the leaderboard as its note.

Optuna's own tables are shown; our rows stay the truth. Units' names are among each trial's attributes since it was asked for
(study/optuna_mirror.py). What is written here is Optuna's alone: the name of the metric, and the note.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Thread
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import optuna

from resbench.errors import BadInput, DatabaseError
from resbench.escape import markdown, markdown_row
from resbench.evidence.leaderboard import Leaderboard, Row, leaderboard
from resbench.evidence.notes import notes
from resbench.store.connection.location import locate
from resbench.store.open import Engine
from resbench.store.optuna.storage import optuna_storage
from resbench.store.results.stored import stored_study
from resbench.store.results.studies import get_study
from resbench.study.optuna_mirror import METRIC, SEARCH_METRIC, name_metric

if TYPE_CHECKING:
    from optuna.storages import BaseStorage

END = "Everything above this line is written anew by `resbench dashboard`; what stands below it stays."
App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def dashboard(engine: Engine, url: str, study: str) -> App:
    """Return the dashboard, with the study made ready for it. Raises BadInput where the package or the study is not there."""
    get_study(engine, study)
    if locate(url).read_only:
        raise DatabaseError(
            f"{locate(url).shown}: is read-only; the dashboard writes the study's note and takes what is typed there"
        )
    try:
        from optuna_dashboard import get_note, save_note, wsgi
    except ModuleNotFoundError as error:
        if error.name != "optuna_dashboard":
            raise
        raise BadInput(
            "the dashboard needs the package optuna-dashboard, which is not installed: pip install 'resbench[dashboard]'"
        ) from None
    storage = optuna_storage(url)
    shown = _open(storage, study)
    stored = stored_study(engine, study)
    name_metric(shown, METRIC if stored is None or "search" not in stored.fixed else SEARCH_METRIC)
    old = get_note(shown)
    whole = renewed(old, note(engine, study))
    if whole != old:
        save_note(shown, whole)
    return wsgi(storage)  # type: ignore[no-any-return]


def _open(storage: BaseStorage, study: str) -> optuna.Study:
    """Load Optuna's study; none is made."""
    try:
        return optuna.load_study(study_name=study, storage=storage, sampler=optuna.samplers.RandomSampler())
    except KeyError:
        raise BadInput(
            f"study {study} is not among Optuna's studies in this database, though its runs are; `resbench study run` enters it"
        ) from None


def renewed(old: str, ours: str) -> str:
    """Return the note with our part new; what a person wrote below it, or instead of it, is kept."""
    own = old.partition(END)[2] if END in old else f"\n\n{old}" if old.strip() else ""
    return f"{ours}\n\n---\n\n{END}{own}"


def note(engine: Engine, study: str) -> str:
    """Return the leaderboard in Markdown, whose every text is shown and none obeyed."""
    try:
        board = leaderboard(engine, study).shortened()
    except BadInput as error:  # a study that has only begun has trials to show, and no ranking
        return markdown(str(error))
    title = f"## {markdown(board.study)}: val error on {markdown(board.data)}"
    head = [
        "| # | unit | val error % | 95 % interval | n | best? | params | MACs |",
        "|--:|:--|--:|:--|:--|:--|--:|--:|",
    ]
    lines = [f"- {markdown(line)}" for line in notes(board)]
    whose = (
        "its converged runs"
        if board.searched is None
        else "the seeds by which the search chose (judged_mean: as above)"
    )
    tail = f"From {_runs(board)} finished runs. A trial's value is the mean of {whose}; a trial without one says why."
    return "\n".join(
        [title, "", *head, *(_row(row, board.verdict_on(row)) for row in board.rows), "", *lines, "", tail]
    )


def _row(row: Row, verdict: str) -> str:
    r = row.ranked
    mean = "–" if r.mean is None else f"{r.mean:.2f}"
    interval = "–" if r.ci_low is None or r.ci_high is None else f"{r.ci_low:.2f} to {r.ci_high:.2f}"
    macs = "–" if row.macs is None else f"{row.macs:,}"
    cells = (str(r.rank), markdown(row.name), mean, interval, f"{r.converged}/{r.n}", verdict, f"{row.params:,}", macs)
    return markdown_row(cells)


def _runs(board: Leaderboard) -> int:
    return sum(row.ranked.n for row in board.rows)


def serve(app: App, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Serve the dashboard until Ctrl-C. `ready` is given the address once it listens.

    Raises BadInput for an address that cannot be had.
    """
    try:
        server = make_server(host, port, app, handler_class=Quiet)
    except (OSError, OverflowError) as error:
        raise BadInput(
            f"{host}:{port}: cannot listen there: {error}; --port takes another, 0 any that is free"
        ) from None
    with server:
        ready(f"http://{host}:{server.server_port}/dashboard/")
        serving = Thread(target=server.serve_forever)  # wsgiref swallows a Ctrl-C that comes while it answers
        serving.start()
        try:
            serving.join()
        finally:
            server.shutdown()


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Print no line for a request."""
