"""`resbench unit|net export NAME --to python|onnx|torch|safetensors -o FILE`: a network as a file that works without resbench."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from resbench.cli.completion import complete_networks, complete_settings, complete_studies, complete_units
from resbench.cli.echo import echo, write_file
from resbench.cli.options import Checkpoints, Db, Force, Plugins, database
from resbench.cli.results.weights import Other
from resbench.did_you_mean import did_you_mean
from resbench.errors import BadInput
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
        help="python (one file that requires only torch), onnx, torch (a torch.export program) or safetensors (the weights). "
        "Default: by the ending of FILE.",
    ),
]  # fmt: skip
Out = Annotated[
    Path | None,
    typer.Option("-o", "--out", metavar="FILE", help="The file to write. Default: stdout, for python only.", show_default=False),
]  # fmt: skip
Seed = Annotated[
    int | None,
    typer.Option(
        "--seed",
        metavar="N",
        min=0,
        max=LARGEST,
        help="Seed of the weights, which are drawn by He's normal rule. Default: 0.",
        show_default=False,
    ),
]
Weights = Annotated[
    Path | None,
    typer.Option(
        "--weights", metavar="FILE", show_default=False,
        help="Read the weights of this network from a .safetensors file or a torch state dict. For weights of other "
            "packages, see "
        "`net import-weights`.",
    ),
]  # fmt: skip
Calibrate = Annotated[
    str | None,
    typer.Option(
        "--calibrate", metavar="DATA", show_default=False,
        help="Compute the running statistics from the training images of this data set.",
    ),
]  # fmt: skip
Run = Annotated[
    int | None,
    typer.Option("--run", metavar="N", help="Export the network of this run, with its weights.", show_default=False),
]
Study = Annotated[
    str | None,
    typer.Option(
        "--study",
        metavar="S",
        help="With --unit: export the run that is nearest to the median of the unit.",
        show_default=False,
        autocompletion=complete_studies,
    ),
]
Unit = Annotated[
    str | None,
    typer.Option("--unit", metavar="U", help="The unit's name or number in the ranking.", show_default=False),
]
Words = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAME=VALUE]...", help="Values of params, as in `show`.", autocompletion=complete_settings),
]


def net(
    network: Annotated[
        str | None,
        typer.Argument(
            help="A network's name or file; leave it out with --run or --study.",
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
    """Write a network as Python, ONNX or a torch.export program, or write its weights. --run and --study export a trained one.

    Kept weights of a run are used. If none are kept, the run is trained again, bit for bit, and its weights are kept.
    """
    chosen = _format(to, out)
    _check(chosen, out, seed, weights, calibrate)
    if run is None and study is None:
        if network is None:
            raise BadInput("net export: expected NETWORK, --run N, or --study S with --unit U; give one of them")
        if unit is not None or db is not None or checkpoints is not None or other_bits:
            raise BadInput("--unit, --db, --checkpoints and --other-bits apply only to --run and --study")
        from resbench.cli.architecture.export_subject import Source, network_subject

        source = Source(seed, weights, tuple(plugins or ()), calibrate)
        _write(network_subject(network, tuple(words or ()), source), chosen, out, force=force)
        return
    if network is not None or seed is not None or weights is not None or calibrate is not None:
        raise BadInput(
            "--run and --study use the network, weights and statistics of a run: leave out NETWORK, --seed, --weights and "
            "--calibrate"
        )
    if (run is None) == (study is None) or (study is None) != (unit is None):
        raise BadInput("a trained network: expected --run N, or --study S with --unit U")
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
        str, typer.Option("--place", metavar="PLACE", help="Place in the network: first, inner or transition.")
    ] = "inner",
    seed: Seed = None,
    weights: Weights = None,
    plugins: Plugins = None,
) -> None:
    """Write a unit, as it is built at one place of a small network, in the same formats as `net export`."""
    chosen = _format(to, out)
    _check(chosen, out, seed, weights)
    if place not in PLACES:
        raise BadInput(f"--place: expected {', '.join(PLACES)}, got {place}{did_you_mean(place, PLACES)}")
    from resbench.cli.architecture.export_subject import Source, unit_subject

    source = Source(seed, weights, tuple(plugins or ()))
    _write(unit_subject(unit, tuple(words or ()), place, source), chosen, out, force=force)


def _format(to: str | None, out: Path | None) -> str:
    """Return the format asked for, or that of the file's ending."""
    if to is None:
        to = next((name for name, ending in FORMATS.items() if out is not None and out.suffix == ending), None)
    if to is None:
        endings = ", ".join(FORMATS.values())
        raise BadInput(
            f"export: no format; give `--to` with one of {', '.join(FORMATS)}, or `-o` with a file that ends in {endings}"
        )
    if to not in FORMATS:
        raise BadInput(f"--to: expected {', '.join(FORMATS)}, got {to}{did_you_mean(to, list(FORMATS))}")
    return to


def _check(to: str, out: Path | None, seed: int | None, weights: Path | None, calibrate: str | None = None) -> None:
    """Raise BadInput for options that exclude each other."""
    if to == "python" and (seed is not None or weights is not None or calibrate is not None):
        raise BadInput(
            "a Python file holds no weights: leave out --seed, --weights and --calibrate; `--to safetensors` writes weights"
        )
    if to != "python" and out is None:
        raise BadInput(f"{to} is a binary format and requires `-o FILE`")
    if seed is not None and weights is not None:
        raise BadInput("--seed draws weights and --weights reads them: give one of them")


def _write(
    subject: ExportSubject, to: str, out: Path | None, *, force: bool, weights: RunWeights | None = None
) -> None:
    """Write the subject to `out` or stdout, with the `weights` of a run where they are given."""
    from resbench.files import write

    if out is None:
        write_file(subject.python())
        return
    exported = subject.export(to) if weights is None else subject.export(to, weights.state, weights.metadata)
    write(out, exported.data, force=force)
    echo(f"{out}: {subject.title}", err=True)
    for note in exported.notes:
        echo(f"note: {note}", err=True)
