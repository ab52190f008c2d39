"""A study in a database that another process coordinates -> its cells, trained here beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike, fspath
from typing import Literal

from resbench.api.study.events import Progress, notifier
from resbench.api.study.prepare import check_environment
from resbench.errors import BadInput, StudyInterrupted


@dataclass(frozen=True, slots=True)
class WorkerOutcome:
    """The outcome of a worker.

    Attributes:
        saved: Runs that it saved.
        limit: What ended it while the study has more to train: `time`, `cells` or `signal`, or
            `tags` if the cells left require tags that it does not have; None if nothing is left for it.
    """

    saved: int
    limit: Literal["signal", "time", "cells", "tags"] | None


def run_worker(
    db: str | PathLike[str],
    study: str,
    *,
    slots: int = 1,
    device: str | None = None,
    tags: Sequence[str] = (),
    max_cells: int | None = None,
    time_limit_s: float | None = None,
    drain_on: Sequence[int] = (),
    checkpoints: str | PathLike[str] | None = None,
    progress: Progress = True,
) -> WorkerOutcome:
    """Train cells of a study that another process coordinates, until none is left.

    Args:
        db: The database, a path or a URL.
        study: The study's name.
        slots: Number of cells that are trained at the same time.
        device: `cuda`, `mps` or `cpu`; None for the best available.
        tags: Tags of this machine; it takes cells whose `plan.tags` are among them.
        max_cells: Stop after this many cells.
        time_limit_s: Take no new cells after this many seconds.
        drain_on: Signals at which it finishes its current cells and takes no new ones.
        checkpoints: A folder for runs under way, shared with the other machines; None for the one beside the database.
        progress: True writes a line to stderr for every run; a function is called with typed events.

    Returns:
        How many runs it saved, and which limit ended it.

    Raises:
        BadInput: For an unknown study or tag.
        StudyInterrupted: After SIGINT or SIGTERM; current cells are given back.
        DatabaseError: For a database that cannot be used.

    Example:
        >>> import resbench as rb
        >>> study = rb.load_study("quickstart", "network.depth=8", "network.width=2", units=["plain"], seeds=1)
        >>> study = rb.load_study(study, recipe={"use": "he2016_small", "epochs": 1, "plan": {"workers": 0}})
        >>> outcome = study.run("results.db", progress=False)
        >>> rb.run_worker("results.db", "quickstart", progress=False)
        WorkerOutcome(saved=0, limit=None)
    """
    from resbench.api.study.run import main_hidden, signals
    from resbench.language.recipe.execution import TAG
    from resbench.store.open import open_store
    from resbench.store.queue.cells import MOST_TAGS
    from resbench.store.results.checkpoints import checkpoint_folder
    from resbench.workers.assist import run_worker as work
    from resbench.workers.shutdown import Stopped
    from resbench.workers.worker import WorkerOptions

    check_environment()
    wrong = next((tag for tag in tags if not TAG.fullmatch(tag)), None)
    if wrong is not None:
        raise BadInput(f"--tags: expected letters, digits, `_`, `.` and `-`, at most 64, got {wrong!r}")
    if len(tags) > MOST_TAGS:
        raise BadInput(f"--tags: expected at most {MOST_TAGS} tags, got {len(tags)}")
    url, watch = fspath(db), notifier(progress)
    folder = checkpoint_folder(url, None if checkpoints is None else fspath(checkpoints))
    options = WorkerOptions(
        url=url,
        folder=folder,
        device=device or "",
        slots=slots,
        tags=tuple(tags),
        max_cells=max_cells,
        time_s=time_limit_s,
    )
    engine = open_store(url, create=False)
    try:
        with signals(drain_on) as shutdown, main_hidden():
            try:
                limit = work(engine, study, options, watch, shutdown)
            except Stopped as stopped:
                raise StudyInterrupted(
                    study, stopped.status, watch.saved_runs, unreturned=shutdown.unreturned
                ) from None
    finally:
        engine.dispose()
    return WorkerOutcome(watch.saved_runs, limit)
