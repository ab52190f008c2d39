"""`resbench study run|check|show`: a study's file -> trained, ranked."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Annotated

import typer

from resbench.cli.completion import complete_study_files
from resbench.cli.options import Checkpoints, Db, Json, Plugins, check_environment, database
from resbench.cli.terminal import echo, echo_lines
from resbench.errors import BadInput

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
        metavar="[CHANGE]...", help="recipe.epochs=2 unit.gate_bias=-3 units+=mine.yaml units-=plain seeds=3"
    ),
]
Fork = Annotated[str | None, typer.Option("--fork", metavar="NAME", help="Run it as a study of another name.")]
Track = Annotated[
    list[str] | None,
    typer.Option(
        "--track", metavar="TRACKER", help="Show runs in tensorboard, mlflow, wandb too: a name, or {use: mlflow, folder: here}. "
        "Again for more; in the place of the study's own; none: in none."
    ),
]  # fmt: skip
Device = Annotated[str | None, typer.Option("--device", help="cuda, mps or cpu; else the best there is.")]


@app.command()
def run(
    file: File, changes: Changes = None, db: Db = None, json: Json = False, fork: Fork = None, device: Device = None,
    plugins: Plugins = None,
    explain: Annotated[
        bool, typer.Option("--explain-plan", help="Only tell how the machine would be used; train nothing.")
    ] = False,
    measure: Annotated[
        bool, typer.Option("--measure", help="Measure how this machine trains fastest; changes the last bits of runs.")
    ] = False,
    timing: Annotated[
        Path | None,
        typer.Option("--timing", "--profile", metavar="FOLDER", help="Write where the time of each cell went, and traces."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", metavar="N", min=0, help="Worker processes of this machine; 0: none, `resbench "
                                 "worker` trains elsewhere. Else as many as pay.")
    ] = None,
    checkpoints: Checkpoints = None,
    executor: Annotated[
        str, typer.Option("--executor", help="local: workers of this machine. ray: a slot of a Ray cluster for each.")
    ] = "local",
    address: Annotated[
        str | None, typer.Option("--address", metavar="HOST:PORT", help="The Ray cluster; else one of this machine's own.")
    ] = None,
    gpus: Annotated[float, typer.Option("--gpus-per-worker", min=0, help="Of a slot of Ray; may be a part, such as 0.5.")] = 0.0,
    track: Track = None,
    live: Annotated[
        bool, typer.Option("--live", help="Draw val errors by unit while they come, over seeds; only on a terminal.")
    ] = False,
) -> None:  # fmt: skip
    """Train what is missing of a study, one row per run, and print the ranking. Run it again: nothing is trained twice."""
    from resbench.cli.progress import StudyProgress
    from resbench.cli.results.commands import has_finished, print_ranking
    from resbench.cli.study.plan import explain_plan
    from resbench.cli.study.ray_options import ray_cluster
    from resbench.cli.study.run import named_device, prepare, room_on, trained
    from resbench.cli.study.timing import folder_for, print_timings
    from resbench.cli.study.tracking import trackers_of

    check_environment()
    url = database(db)
    if timing is not None:
        os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # torch's profiler tells of cards that are not there
    with StudyProgress(curves=live) as progress:
        measured = ("recipe.plan.measure=true",) if measure else ()
        trains = workers != 0 and executor == "local"
        words = (*(changes or ()), *measured)
        request = prepare(file, words, fork, url, lambda: room_on(device) if trains else None)
        spec, points, refused = request.spec, request.points, request.refused
        if refused:
            total, first = len(points) + len(refused), refused[0]
            progress.note(
                f"{len(refused)} of {total} points cannot be built; first {first.name}: {str(first.problems[0]).splitlines()[0]}"
            )
        from resbench.data.registry import info
        from resbench.study.request import RunOptions
        from resbench.study.resources.memory import refuse
        from resbench.study.warnings import hints
        from resbench.train.execution.ranks import joined, part

        about = info(str(spec.data.name), spec.data.given)
        for hint in hints(spec, points, about.n_train):
            progress.note(hint)
        if explain and timing is not None:
            raise BadInput("--timing is of a training, and --explain-plan trains nothing: give one of them")
        began = time.time()
        with joined(named_device(device)) as where:
            if explain:
                refuse(points, about, request.room)
                if part().rank == 0:
                    explain_plan(spec, points, where, json)
                raise typer.Exit(0)
            cluster, tracking = ray_cluster(executor, address, gpus), trackers_of(spec, track or ())
            options = RunOptions(
                url=url, device=where, checkpoints=checkpoints, timing=folder_for(timing), workers=workers,
                cluster=cluster, trackers=tracking,
            )  # fmt: skip
            engine, whole = trained(request, options, progress)
    if timing is not None:
        print_timings(timing, began)
    if has_finished(engine, spec.name):
        print_ranking(engine, spec.name, json)
    raise typer.Exit(0 if whole else 1)


@app.command()
def check(
    file: File, changes: Changes = None, json: Json = False, device: Device = None,
    memory: Annotated[
        str | None, typer.Option("--memory", metavar="SIZE", show_default=False,
                                 help="What the device has that will train, such as 80GiB; else what is here.")
    ] = None,
    plugins: Plugins = None,
) -> None:  # fmt: skip
    """Bind every point of a study, read its data, and tell what would be trained; nothing is written.

    What does not fit into memory is told too. Data that are not on this machine are told of, and are no failure: exit status 0.
    """
    from resbench.cli.output import count, print_json, print_table
    from resbench.cli.study.check import check_study, room_of, sentences

    found = check_study(file, tuple(changes or ()), room_of(device, memory))
    points, refused = found.points, found.refused
    if json:
        keys = ("name", "unit", "labels", "digest", "params", "macs")
        rows = [{key: getattr(point, key) for key in keys} | {"refused": None} for point in points]
        rows += [dict.fromkeys(keys) | {"name": one.name, "refused": str(one.problems[0])} for one in refused]
        print_json(rows)
        for line in found.data:
            echo(line, err=True)
        return
    print_table(
        ["unit", ">params", ">MACs", "digest"],
        [[point.name, count(point.params), count(point.macs), point.digest] for point in points],
    )
    for one in refused:
        echo_lines(f"cannot be built: {one.name}: {one.problems[0]}")
    for line in sentences(found):
        echo(line)


@app.command()
def show(
    file: File,
    changes: Changes = None,
    resolved: Annotated[
        bool,
        typer.Option("--resolved", help="Every value that the study rests on, with the file and line it came from."),
    ] = False,
    json: Json = False,
    plugins: Plugins = None,
) -> None:
    """Print a study with the changes made; nothing is bound or written."""
    from dataclasses import asdict

    from resbench.cli.output import print_json, print_table
    from resbench.cli.study.run import parsed
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
