"""`resbench worker --db URL --study NAME`: train cells of a study that another process coordinates, under any scheduler."""

from __future__ import annotations

import signal
from typing import Annotated

import typer

from resbench.cli.completion import complete_studies
from resbench.cli.options import Checkpoints, Db, Plugins, database
from resbench.cli.study.commands import Device
from resbench.errors import BadInput, StudyInterrupted

UNFINISHED = 6  # a time limit or a signal ended the worker, and the study has more to train


def worker(
    study: Annotated[str, typer.Option("--study", metavar="NAME", help="The study's name.",
        autocompletion=complete_studies)],
    db: Db = None,
    slots: Annotated[int, typer.Option("--slots", metavar="N", min=1, help="Number of cells that are trained at the same "
        "time.")] = 1,
    device: Device = None,
    tags: Annotated[
        str | None, typer.Option("--tags", metavar="A,B", help="Tags of this machine; it takes cells whose plan.tags are "
            "among them.")
    ] = None,
    max_cells: Annotated[
        int | None, typer.Option("--max-cells", metavar="N", min=1, help="Stop after this many cells.")
    ] = None,
    time_limit: Annotated[
        str | None, typer.Option("--time-limit", metavar="TIME", help="Take no new cells after this time: 90s, 45m, 12h, "
            "2d, or seconds.")
    ] = None,
    drain_on: Annotated[
        list[str] | None,
        typer.Option(
            "--drain-on", metavar="SIGNAL", help="At this signal (USR1), finish the current cells and take no new ones; "
            "may be repeated."
        ),
    ] = None,
    checkpoints: Checkpoints = None,
    plugins: Plugins = None,
) -> None:  # fmt: skip
    """Train cells of a study until none is left. Start one worker on each machine: each cell is trained once.

    Exit status 6: --time-limit or --drain-on ended the worker, and the study has more cells for its tags.

    SIGTERM and Ctrl-C stop at the end of the epoch: current cells are saved, given back, and continued elsewhere.
    """
    from resbench.api.study.prepare import check_environment
    from resbench.api.study.worker import run_worker
    from resbench.cli.progress import StudyProgress

    check_environment()
    limit_s = None if time_limit is None else _seconds(time_limit)
    signals = [_signal(name) for name in drain_on or ()]
    with StudyProgress() as progress:
        try:
            outcome = run_worker(
                database(db), study, slots=slots, device=device, tags=_tags(tags), max_cells=max_cells, time_limit_s=limit_s,
                drain_on=signals, checkpoints=checkpoints, progress=progress.handle,
            )  # fmt: skip
        except StudyInterrupted as stopped:
            progress.stop()
            rest = "current cells were given back"
            if stopped.unreturned:
                rest = (
                    f"{stopped.unreturned} cells could not be given back and are queued again when their leases expire"
                )
            progress.line(f"stopped: {progress.done} runs are saved, {rest}")
            raise typer.Exit(stopped.exit_status) from None
        if outcome.limit is None:
            progress.line(f"{progress.done} runs saved; no cell is left to train")
            return
        if outcome.limit == "tags":
            progress.line(
                f"{progress.done} runs saved; the remaining cells require tags that this worker does not have"
            )
            return
        given = {
            "signal": "a signal of --drain-on",
            "time": f"--time-limit {time_limit}",
            "cells": f"--max-cells {max_cells}",
        }
        progress.line(
            f"{progress.done} runs saved; {given[outcome.limit]} ended this worker, and the study has more to train"
        )
        if outcome.limit != "cells":  # the worker did what was asked
            raise typer.Exit(UNFINISHED)


def _tags(text: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tag.strip() for tag in (text or "").split(",") if tag.strip()))


def _seconds(text: str) -> float:
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    number, unit = (text[:-1], units[text[-1]]) if text[-1:] in units else (text, 1)
    try:
        seconds = float(number) * unit
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e9:
        raise BadInput(f"--time-limit: expected a time such as 90s, 45m, 12h or 2d, got {text}")
    return seconds


def _signal(name: str) -> signal.Signals:
    short = name.upper().removeprefix("SIG")
    allowed = ("USR1", "USR2", "HUP")
    if short not in allowed:
        raise BadInput(f"--drain-on: expected {', '.join(allowed)}, got {name}")
    return signal.Signals[f"SIG{short}"]
