"""`resbench unit|net export NAME --to python|onnx|torch|safetensors -o FILE`: what was built, for those who have no resbench."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from resbench.cli.completion import complete_networks, complete_settings, complete_units
from resbench.cli.options import Force, Plugins
from resbench.cli.terminal import echo, write_file
from resbench.errors import BadInput, did_you_mean
from resbench.seeds import LARGEST

if TYPE_CHECKING:
    from resbench.cli.exporting import Subject

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
    typer.Option("--weights", metavar="FILE", help="Weights from a .safetensors file instead.", show_default=False),
]
Words = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME=VALUE]...", help="As in `show`.", autocompletion=complete_settings)
]


def net(
    network: Annotated[str, typer.Argument(help="A network's name or file.", autocompletion=complete_networks)],
    words: Words = None,
    to: To = None,
    out: Out = None,
    force: Force = False,
    seed: Seed = None,
    weights: Weights = None,
    plugins: Plugins = None,
) -> None:
    """Write a network as Python, ONNX, a torch.export program, or its weights."""
    chosen = _format(to, out)
    _check(chosen, out, seed, weights)
    from resbench.cli.exporting import Source, network_subject

    _write(
        network_subject(network, tuple(words or ()), Source(seed, weights, tuple(plugins or ()))),
        chosen,
        out,
        force=force,
    )


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
    from resbench.cli.exporting import Source, unit_subject

    _write(
        unit_subject(unit, tuple(words or ()), place, Source(seed, weights, tuple(plugins or ()))),
        chosen,
        out,
        force=force,
    )


def _format(to: str | None, out: Path | None) -> str:
    """The format asked for, or that of the file's ending."""
    if to is None:
        to = next((name for name, ending in FORMATS.items() if out is not None and out.suffix == ending), None)
    if to is None:
        endings = ", ".join(FORMATS.values())
        raise BadInput(f"export to what? `--to` one of {', '.join(FORMATS)}, or `-o` a file that ends in {endings}")
    if to not in FORMATS:
        raise BadInput(f"`--to {to}`: formats: {', '.join(FORMATS)}{did_you_mean(to, list(FORMATS))}")
    return to


def _check(to: str, out: Path | None, seed: int | None, weights: Path | None) -> None:
    """Raises BadInput for options that do not go together."""
    if to == "python" and (seed is not None or weights is not None):
        raise BadInput(
            "a Python file holds no weights: leave out --seed and --weights, and write those `--to safetensors`"
        )
    if to != "python" and out is None:
        raise BadInput(f"{to} is no text for the screen: `-o FILE` is needed")
    if seed is not None and weights is not None:
        raise BadInput("weights are drawn (--seed) or read (--weights), not both")


def _write(subject: Subject, to: str, out: Path | None, *, force: bool) -> None:
    from resbench.files import write

    if out is None:
        write_file(subject.python())
        return
    write(out, subject.data(to), force=force)
    echo(f"{out}: {subject.title}", err=True)
