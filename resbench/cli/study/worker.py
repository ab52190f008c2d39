"""`resbench worker --db URL --study NAME`: train cells of a study that another process coordinates; for any scheduler."""

from __future__ import annotations

import signal
from typing import Annotated

import typer

from resbench.cli.completion import complete_studies
from resbench.cli.options import Checkpoints, Db, Plugins, check_environment, database
from resbench.cli.study.commands import Device
from resbench.errors import BadInput

UNFINISHED = 6  # a limit of time or a signal ended the worker, and the study has more to train


def worker(
    study: Annotated[str, typer.Option("--study", metavar="NAME", help="The study's name.",
        autocompletion=complete_studies)],
    db: Db = None,
    slots: Annotated[int, typer.Option("--slots", metavar="N", min=1, help="Cells that are trained at a time.")] = 1,
    device: Device = None,
    tags: Annotated[
        str | None, typer.Option("--tags", metavar="A,B", help="What this machine has, of what cells ask for (plan.tags).")
    ] = None,
    max_cells: Annotated[
        int | None, typer.Option("--max-cells", metavar="N", min=1, help="Take no more after so many.")
    ] = None,
    time_limit: Annotated[
        str | None, typer.Option("--time-limit", metavar="TIME", help="Take no more after this: 90s, 45m, 12h, or seconds.")
    ] = None,
    drain_on: Annotated[
        list[str] | None,
        typer.Option(
            "--drain-on", metavar="SIGNAL", help="At this signal (USR1) finish the cells under way and take no more. Again."
        ),
    ] = None,
    checkpoints: Checkpoints = None,
    plugins: Plugins = None,
) -> None:  # fmt: skip
    """Train cells of a study, until there are none left. Start as many as there are machines: each cell is trained once.

    Exit status 6: --time-limit or --drain-on ended it, and the study has more to train.

    SIGTERM and Ctrl-C stop at the end of the epoch: what is under way is kept, given back, and goes on elsewhere.
    """
    from resbench.cli.progress import StudyProgress
    from resbench.store.open import open_store
    from resbench.store.results.checkpoints import checkpoint_folder
    from resbench.workers.assist import run_worker
    from resbench.workers.shutdown import Stopped, handle_signals
    from resbench.workers.worker import WorkerOptions

    check_environment()
    url = database(db)
    options = WorkerOptions(
        url=url, folder=checkpoint_folder(url, checkpoints), device=device or "", slots=slots, tags=_tags(tags),
        max_cells=max_cells, time_s=None if time_limit is None else _seconds(time_limit),
    )  # fmt: skip
    signals = [_signal(name) for name in drain_on or ()]
    engine = open_store(url, create=False)
    with StudyProgress() as progress, handle_signals(signals) as shutdown:
        try:
            limit = run_worker(engine, study, options, progress, shutdown)
        except Stopped as stopped:
            progress.stop()
            rest = "what was under way is given back"
            if shutdown.unreturned:
                rest = (
                    f"{shutdown.unreturned} cells could not be given back, and are queued again when their leases end"
                )
            progress.line(f"stopped: {progress.done} runs are saved, {rest}")
            raise typer.Exit(stopped.status) from None
        if limit is None:
            progress.line(f"{progress.done} runs saved; nothing is left here to train")
            return
        given = {
            "signal": "a signal of --drain-on",
            "time": f"--time-limit {time_limit}",
            "cells": f"--max-cells {max_cells}",
        }
        progress.line(
            f"{progress.done} runs saved; this worker ends by {given[limit]}, and the study has more to train"
        )
        if limit != "cells":  # so many were asked for, and so many are done
            raise typer.Exit(UNFINISHED)


def _tags(text: str | None) -> tuple[str, ...]:
    from resbench.language.recipe.execution import TAG
    from resbench.store.queue.cells import MOST_TAGS

    tags = tuple(dict.fromkeys(tag.strip() for tag in (text or "").split(",") if tag.strip()))
    wrong = next((tag for tag in tags if not TAG.fullmatch(tag)), None)
    if wrong is not None:
        raise BadInput(f"--tags: {wrong!r} is no tag; letters, digits, `_`, `.` and `-` are allowed, at most 64")
    if len(tags) > MOST_TAGS:
        raise BadInput(f"--tags: {len(tags)} tags; a worker has at most {MOST_TAGS}")
    return tags


def _seconds(text: str) -> float:
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    number, unit = (text[:-1], units[text[-1]]) if text[-1:] in units else (text, 1)
    try:
        seconds = float(number) * unit
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e9:
        raise BadInput(f"--time-limit {text}: a time such as 90s, 45m, 12h or 2d is needed")
    return seconds


def _signal(name: str) -> signal.Signals:
    short = name.upper().removeprefix("SIG")
    allowed = ("USR1", "USR2", "HUP")
    if short not in allowed:
        raise BadInput(f"--drain-on {name}: allowed are {', '.join(allowed)}")
    return signal.Signals[f"SIG{short}"]
