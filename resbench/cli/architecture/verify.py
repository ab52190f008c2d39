"""`resbench net verify|import-weights`: compare a network with a published one, or convert its weights."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from resbench.cli.completion import complete_networks, complete_settings
from resbench.cli.echo import echo
from resbench.cli.options import Force, Json, Plugins
from resbench.escape import printable

Against = Annotated[
    str,
    typer.Option("--against", metavar="REFERENCE", help="torchvision:NAME, timm:NAME or torch_resnet:NAME."),
]
Network = Annotated[str, typer.Argument(help="A network's name or file.", autocompletion=complete_networks)]
Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[unit=UNIT] [NAME=VALUE]...",
        autocompletion=complete_settings,
        help="The unit and values of params, such as depth=18 unit=original unit.change=project.",
    ),
]
Map = Annotated[
    Path | None,
    typer.Option("--map", metavar="FILE", help="A YAML file that maps our parameter names to the reference's, for those "
        "that are not paired automatically."),
]  # fmt: skip


ReferenceArgs = Annotated[
    str | None,
    typer.Option(
        "--reference-args",
        metavar="NAME=VALUE,...",
        help="Arguments of the function that builds the reference, such as aux_logits=false,drop_rate=0.",
    ),
]


def verify(
    network: Network,
    against: Against,
    words: Words = None,
    size: Annotated[
        list[int] | None, typer.Option("--size", help="Size of the images in pixels; may be repeated. Default: 64 and 75.")
    ] = None,
    dtype: Annotated[
        list[str] | None,
        typer.Option("--dtype", help="float32 or float64; may be repeated. float64 decides and is always compared. "
            "Default: both."),
    ] = None,
    reference_args: ReferenceArgs = None,
    map_: Map = None,
    json: Json = False,
    plugins: Plugins = None,
) -> None:  # fmt: skip
    """Copy the weights of a reference and print the largest differences. Exit status 0: equal; 1: different."""
    from resbench.api.architecture.request import request_of
    from resbench.cli.architecture.verification import print_verification
    from resbench.compiler.binding.network import bind_network
    from resbench.errors import BadInput
    from resbench.verify.check import SIZES
    from resbench.verify.check import verify as check
    from resbench.verify.equal import TOLERANCES
    from resbench.verify.reference import reference

    dtypes = dtype or list(TOLERANCES)
    for name in dtypes:
        if name not in TOLERANCES:
            raise BadInput(f"--dtype: expected {' or '.join(TOLERANCES)}, got `{printable(name)}`")
    arguments = _arguments(reference_args)
    bound = bind_network(*request_of(network, tuple(words or ())))
    verdict = check(bound, reference(against, bound.classes, arguments), _sizes(size) or SIZES, dtypes, _map(map_))
    print_verification(bound, against + (f" with {reference_args}" if arguments else ""), verdict, json=json)
    raise typer.Exit(0 if verdict.equal else 1)


def import_weights(
    network: Network,
    against: Against,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The .safetensors file to write.")],
    words: Words = None,
    force: Force = False,
    weights: Annotated[
        Path | None,
        typer.Option(
            "--weights",
            metavar="FILE",
            help="The reference's own weights: a .safetensors file or a torch state dict. Default: drawn from seed 0.",
        ),
    ] = None,
    size: Annotated[
        int, typer.Option("--size", help="Size in pixels of the images with which parameters are paired.")
    ] = 64,
    reference_args: ReferenceArgs = None,
    map_: Map = None,
    plugins: Plugins = None,
) -> None:
    """Write the weights of a reference under the parameter names of our network."""
    from resbench.api.architecture.request import request_of
    from resbench.compiler.binding.network import bind_network
    from resbench.compiler.export.serialized import safetensors_bytes
    from resbench.compiler.identity.canonical import canonical
    from resbench.compiler.modules.load_weights import load_weights
    from resbench.files import write
    from resbench.measure.memory_check import require
    from resbench.verify.check import imported
    from resbench.verify.reference import reference

    bound = bind_network(*request_of(network, tuple(words or ())))
    require("importing weights", bound, times=2)  # the network, and the bytes of the file
    source = reference(against, bound.classes, _arguments(reference_args))
    if weights is not None:
        load_weights(source, weights, f"they must be those of {printable(against)} with {bound.classes} classes")
    ours, pairing = imported(bound, source, _sizes([size])[0], _map(map_))
    about = {"network": bound.name, "unit": bound.unit, "digest": canonical(bound).digest, "from": against}
    write(output, safetensors_bytes(ours.state_dict(), about), force=force)
    for line in (pairing.parts, *pairing.open):
        if line:
            echo(f"note: {line}", err=True)
    where = weights if weights is not None else "weights drawn from seed 0, since no --weights were given"
    echo(f"{output}: {len(pairing.names)} tensors of {against} ({where})")


def _sizes(given: list[int] | None) -> list[int]:
    """Return the sizes. Raises BadInput for one out of range."""
    from resbench.errors import BadInput

    if not all(8 <= one <= 4096 for one in given or ()):
        raise BadInput(f"--size: expected 8 to 4096 pixels, got {', '.join(map(str, given or ()))}")
    return given or []


def _arguments(given: str | None) -> dict[str, Any]:
    """`aux_logits=false,drop_rate=0` -> a mapping; a comma within brackets is part of a value. Raises BadInput."""
    from resbench.api.architecture.request import settings_of
    from resbench.language.yaml.node import plain

    words = re.split(r",(?![^\[{]*[\]}])", given) if given else []
    return {name: plain(node) for name, node in settings_of(words, example="aux_logits=false").mapping.items()}


def _map(path: Path | None) -> dict[str, str]:
    """Read our names to the reference's. Raises SpecError with every value that is not a name."""
    from resbench.language.yaml.problems import Problems
    from resbench.language.yaml.reader import read

    if path is None:
        return {}
    check, found = Problems(), read(path)
    for other in found.mapping.values():
        if not isinstance(other.value, str):
            check.report(other, f"--map: expected the name of a parameter of the reference, got {other.shown()}")
    check.done()
    return {name: str(other.value) for name, other in found.mapping.items()}
