"""`resbench study run|check|show`: check, train and show a study."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from resbench.cli.completion import complete_study_files
from resbench.cli.echo import echo, echo_lines
from resbench.cli.options import Checkpoints, Db, Json, Plugins, database
from resbench.errors import BadInput

if TYPE_CHECKING:
    from resbench.study.request import StudyRequest

app = typer.Typer(help="Run, check and show studies.", no_args_is_help=True)
File = Annotated[
    str,
    typer.Argument(
        metavar="STUDY",
        help="A study's YAML file, or the name of one in the library.",
        autocompletion=complete_study_files,
    ),
]
Changes = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[CHANGE]...",
        help="Changes to the study, such as recipe.epochs=2 unit.gate_bias=-3 units+=mine.yaml units-=plain seeds=3.",
    ),
]
Fork = Annotated[str | None, typer.Option("--fork", metavar="NAME", help="Run the study under another name.")]
Track = Annotated[
    list[str] | None,
    typer.Option(
        "--track", metavar="TRACKER", help="Also log runs to tensorboard, mlflow or wandb: a name, or {use: mlflow, "
        "folder: here}; may be repeated. "
        "It replaces the study's `track`; none logs nowhere."
    ),
]  # fmt: skip
Device = Annotated[str | None, typer.Option("--device", help="cuda, mps or cpu. Default: the best available.")]


@app.command()
def run(
    file: File, changes: Changes = None, db: Db = None, json: Json = False, fork: Fork = None, device: Device = None,
    plugins: Plugins = None,
    explain: Annotated[
        bool, typer.Option("--explain-plan", help="Print how the machine would be used, and train nothing.")
    ] = False,
    measure: Annotated[
        bool, typer.Option("--measure", help="Measure how this machine trains fastest. This changes the last bits of runs.")
    ] = False,
    timing: Annotated[
        Path | None, typer.Option("--timing", "--profile", metavar="FOLDER", help="Write the timing of each cell, and traces, to "
            "this folder.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", metavar="N", min=0, help="Worker processes on this machine; 0 leaves training to "
                                 "`resbench worker`. Default: as many as speed up the study.")
    ] = None,
    checkpoints: Checkpoints = None,
    executor: Annotated[
        str, typer.Option("--executor", help="local: workers on this machine. ray: workers in slots of a Ray cluster.")
    ] = "local",
    address: Annotated[
        str | None, typer.Option("--address", metavar="HOST:PORT", help="Address of the Ray cluster. Default: start one "
            "on this machine.")
    ] = None,
    gpus: Annotated[float, typer.Option("--gpus-per-worker", min=0, help="GPUs of each Ray slot; may be a fraction, such "
        "as 0.5.")] = 0.0,
    track: Track = None,
    live: Annotated[
        bool, typer.Option("--live", help="Draw the validation error of each unit during training; only on a terminal.")
    ] = False,
) -> None:  # fmt: skip
    """Train the missing runs of a study and print the ranking. The same command continues a study; nothing is trained twice."""
    from resbench.api.study.load import load_study
    from resbench.api.study.prepare import check_environment, tell
    from resbench.cli.progress import StudyProgress
    from resbench.cli.results.commands import has_finished, print_ranking
    from resbench.cli.study.timing import print_timings
    from resbench.errors import StudyInterrupted
    from resbench.store.open import open_store

    check_environment()
    url = database(db)
    if timing is not None:
        os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # torch's profiler tells of cards that are not there
    with StudyProgress(curves=live) as progress:
        measured = ("recipe.plan.measure=true",) if measure else ()
        loaded = load_study(file, *(changes or ()), *measured)
        if explain:
            trains = workers != 0 and executor == "local"
            request = loaded.prepare(url, fork=fork, device=device, trains=trains)
            tell(request, progress.note)
            if timing is not None:
                raise BadInput("--timing requires a training, and --explain-plan trains nothing: give one of them")
            _explain(request, device, json)
            raise typer.Exit(0)
        began = time.time()
        try:
            outcome = loaded.run(
                url, workers=workers, device=device, progress=progress.handle, fork=fork, checkpoints=checkpoints,
                timing=timing, track=track or (), executor=executor, address=address, gpus_per_worker=gpus,
            )  # fmt: skip
        except StudyInterrupted as stopped:
            progress.stop()
            progress.line(
                f"stopped: {progress.done} of {progress.total} new runs are saved; the same command goes on with the rest"
            )
            raise typer.Exit(stopped.exit_status) from None
    if outcome.follows:
        raise typer.Exit(0)
    if timing is not None:
        print_timings(timing, began)
    engine = open_store(url, create=False)
    if has_finished(engine, outcome.study):
        print_ranking(engine, outcome.study, json)
    raise typer.Exit(0 if outcome.complete else 1)


def _explain(request: StudyRequest, device: str | None, json: bool) -> None:
    from resbench.api.study.prepare import named_device
    from resbench.cli.study.plan import explain_plan
    from resbench.data.registry import info
    from resbench.study.resources.memory import refuse
    from resbench.train.execution.ranks import joined, shard

    with joined(named_device(device)) as where:
        refuse(request.points, info(str(request.spec.data.name), request.spec.data.given), request.room)
        if shard().rank == 0:
            explain_plan(request.spec, request.points, where, json)


@app.command()
def check(
    file: File, changes: Changes = None, json: Json = False, device: Device = None,
    memory: Annotated[
        str | None, typer.Option("--memory", metavar="SIZE", show_default=False,
                                 help="Memory of the training device, such as 80GiB. Default: that of this machine.")
    ] = None,
    plugins: Plugins = None,
) -> None:  # fmt: skip
    """Bind every point of a study, read its data, and print what would be trained. Nothing is written.

    Points that do not fit into memory are reported, and so are data that are not on this machine; the exit status is 0.
    """
    from resbench.api.study.events import Event, Message
    from resbench.api.study.load import load_study
    from resbench.cli.output import count, print_json, print_table
    from resbench.evidence.names import short_names

    def tell(event: Event) -> None:
        if isinstance(event, Message):
            echo(event.text, err=True)

    found = load_study(file, *(changes or ())).check(device=device, memory=memory, progress=tell)
    points, refused = found.points, found.refused
    if json:
        keys = ("name", "unit", "labels", "digest", "params", "macs")
        rows = [{key: getattr(point, key) for key in keys} | {"refused": None} for point in points]
        rows += [dict.fromkeys(keys) | {"name": one.name, "refused": str(one.problems[0])} for one in refused]
        print_json(rows)
        for line in found.data:
            echo(line, err=True)
        return
    named = short_names([point.name for point in points])
    print_table(
        ["unit", ">params", ">MACs", "digest"],
        [[named[point.name], count(point.params), count(point.macs), point.digest] for point in points],
    )
    for one in refused:
        echo_lines(f"cannot be built: {one.name}: {one.problems[0]}")
    for line in found.sentences():
        echo(line)


@app.command()
def show(
    file: File,
    changes: Changes = None,
    resolved: Annotated[
        bool,
        typer.Option("--resolved", help="Print every value that the study uses, with its file and line."),
    ] = False,
    json: Json = False,
    plugins: Plugins = None,
) -> None:
    """Print a study with its changes applied; nothing is bound or written."""
    from dataclasses import asdict

    from resbench.api.study.prepare import parsed
    from resbench.cli.output import print_json, print_table
    from resbench.language.study.provenance import resolved as resolve
    from resbench.language.yaml.node import flow, plain

    spec, library = parsed(file, tuple(changes or ()))
    if resolved:
        values = resolve(spec, library)
        if json:
            print_json([asdict(value) for value in values])
        else:
            print_table(["value", "is", "from"], [[v.path, v.value, v.origin] for v in values])
    elif json:
        print_json(plain(spec.node))
    else:
        for key, node in spec.node.mapping.items():
            if key == "units":
                echo("units:")
                for item in node.items:
                    echo(f"  - {flow(plain(item), strict=True)}")
            else:
                echo(f"{flow(key)}: {flow(plain(node), strict=True)}")
