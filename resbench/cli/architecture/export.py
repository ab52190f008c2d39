"""`resbench unit|net export NAME --to python|onnx|torch|safetensors -o FILE`: what was built, for those who have no resbench."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from resbench.cli.completion import complete_networks, complete_settings, complete_studies, complete_units
from resbench.cli.options import Checkpoints, Db, Force, Plugins, database
from resbench.cli.results.weights import Other
from resbench.cli.terminal import echo, write_file
from resbench.errors import BadInput, did_you_mean
from resbench.random_streams import LARGEST

if TYPE_CHECKING:
    from resbench.cli.architecture.export_subject import ExportSubject
    from resbench.study.weights.run_weights import RunWeights

FORMATS = {"python": ".py", "onnx": ".onnx", "torch": ".pt2", "safetensors": ".safetensors"}
PLACES = ("first", "inner", "transition")

To = Annotated[
    str | None,
    typer.Option(
        "--to", metavar="FORMAT", show_default=False,
        help="python (one file that needs torch alone), onnx, torch (a torch.export program) or safetensors (the weights); else "
        "as the file's ending says.",
    ),
]  # fmt: skip
Out = Annotated[
    Path | None,
    typer.Option("-o", "--out", metavar="FILE", help="The file to write; python goes to stdout without.", show_default=False),
]  # fmt: skip
Seed = Annotated[
    int | None,
    typer.Option(
        "--seed", metavar="N", min=0, max=LARGEST, help="Draws the weights, He's normal; else 0.", show_default=False
    ),
]
Weights = Annotated[
    Path | None,
    typer.Option(
        "--weights", metavar="FILE", show_default=False,
        help="Weights of this network instead: .safetensors, or a torch state dict; of other packages' networks, see "
        "`net import-weights`.",
    ),
]  # fmt: skip
Calibrate = Annotated[
    str | None,
    typer.Option(
        "--calibrate", metavar="DATA", show_default=False,
        help="Set running statistics from the training images of this data set.",
    ),
]  # fmt: skip
Run = Annotated[
    int | None,
    typer.Option("--run", metavar="N", help="The network of this run, with its weights.", show_default=False),
]
Study = Annotated[
    str | None,
    typer.Option(
        "--study",
        metavar="S",
        help="With --unit: of the run nearest to the unit's median.",
        show_default=False,
        autocompletion=complete_studies,
    ),
]
Unit = Annotated[
    str | None, typer.Option("--unit", metavar="U", help="As the ranking names it, or its number.", show_default=False)
]
Words = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME=VALUE]...", help="As in `show`.", autocompletion=complete_settings)
]


def net(
    network: Annotated[
        str | None,
        typer.Argument(
            help="A network's name or file; none with --run or --study.",
            show_default=False,
            autocompletion=complete_networks,
        ),
    ] = None,
    words: Words = None,
    to: To = None,
    out: Out = None,
    force: Force = False,
    seed: Seed = None,
    weights: Weights = None,
    calibrate: Calibrate = None,
    run: Run = None,
    study: Study = None,
    unit: Unit = None,
    other_bits: Other = False,
    checkpoints: Checkpoints = None,
    db: Db = None,
    plugins: Plugins = None,
) -> None:
    """Write a network as Python, ONNX, a torch.export program, or its weights; with --run one that was trained.

    The weights of a run are those that are kept; where none are, the run is trained again, bit for bit, and they are.
    """
    chosen = _format(to, out)
    _check(chosen, out, seed, weights, calibrate)
    if run is None and study is None:
        if network is None:
            raise BadInput("name a network, or with --run N one that was trained, or with --study S --unit U")
        if unit is not None or db is not None or checkpoints is not None or other_bits:
            raise BadInput("--unit, --db, --checkpoints and --other-bits are of --run and --study")
        from resbench.cli.architecture.export_subject import Source, network_subject

        source = Source(seed, weights, tuple(plugins or ()), calibrate)
        _write(network_subject(network, tuple(words or ()), source), chosen, out, force=force)
        return
    if network is not None or seed is not None or weights is not None or calibrate is not None:
        raise BadInput("a run has its own network, weights and statistics: give none of these beside --run or --study")
    if (run is None) == (study is None) or (study is None) != (unit is None):
        raise BadInput("a trained network is named by --run N, or by --study S and --unit U")
    from resbench.cli.architecture.export_subject import run_subject
    from resbench.cli.results.weights import nearest_run, take
    from resbench.files import check, write

    if out is not None:
        check(out, force=force)
    url = database(db)
    number = nearest_run(url, study, unit) if study is not None and unit is not None else run
    assert number is not None
    subject = run_subject(url, number)
    if chosen == "python":  # holds no weights
        _write(subject, chosen, out, force=force)
        return
    taken = take(number, url, checkpoints, other_bits=other_bits)
    if taken.unkept is not None:
        echo(taken.unkept, err=True)
    echo(taken.title, err=True)
    if chosen == "safetensors" and out is not None:  # the bytes of `results weights`
        write(out, taken.file(), force=force)
        echo(f"{out}: {subject.title}", err=True)
        return
    _write(subject, chosen, out, force=force, weights=taken)


def unit(
    unit: Annotated[
        str, typer.Argument(metavar="UNIT", help="A unit's name, or its YAML file.", autocompletion=complete_units)
    ],
    words: Words = None,
    to: To = None,
    out: Out = None,
    force: Force = False,
    place: Annotated[
        str, typer.Option("--place", metavar="PLACE", help="Where in the network: first, inner or transition.")
    ] = "inner",
    seed: Seed = None,
    weights: Weights = None,
    plugins: Plugins = None,
) -> None:
    """Write a unit, as it is at one place of a small network, in the same formats."""
    chosen = _format(to, out)
    _check(chosen, out, seed, weights)
    if place not in PLACES:
        raise BadInput(f"`--place {place}`: places: {', '.join(PLACES)}{did_you_mean(place, PLACES)}")
    from resbench.cli.architecture.export_subject import Source, unit_subject

    source = Source(seed, weights, tuple(plugins or ()))
    _write(unit_subject(unit, tuple(words or ()), place, source), chosen, out, force=force)


def _format(to: str | None, out: Path | None) -> str:
    """Return the format asked for, or that of the file's ending."""
    if to is None:
        to = next((name for name, ending in FORMATS.items() if out is not None and out.suffix == ending), None)
    if to is None:
        endings = ", ".join(FORMATS.values())
        raise BadInput(f"export to what? `--to` one of {', '.join(FORMATS)}, or `-o` a file that ends in {endings}")
    if to not in FORMATS:
        raise BadInput(f"`--to {to}`: formats: {', '.join(FORMATS)}{did_you_mean(to, list(FORMATS))}")
    return to


def _check(to: str, out: Path | None, seed: int | None, weights: Path | None, calibrate: str | None = None) -> None:
    """Raises BadInput for options that do not go together."""
    if to == "python" and (seed is not None or weights is not None or calibrate is not None):
        raise BadInput(
            "a Python file holds no weights: leave out --seed, --weights and --calibrate, and write those `--to safetensors`"
        )
    if to != "python" and out is None:
        raise BadInput(f"{to} is no text for the screen: `-o FILE` is needed")
    if seed is not None and weights is not None:
        raise BadInput("weights are drawn (--seed) or read (--weights), not both")


def _write(
    subject: ExportSubject, to: str, out: Path | None, *, force: bool, weights: RunWeights | None = None
) -> None:
    """`weights`: of a run."""
    from resbench.files import write

    if out is None:
        write_file(subject.python())
        return
    exported = subject.export(to) if weights is None else subject.export(to, weights.state, weights.metadata)
    write(out, exported.data, force=force)
    echo(f"{out}: {subject.title}", err=True)
    for note in exported.notes:
        echo(f"note: {note}", err=True)
