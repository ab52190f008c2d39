"""`resbench net verify|import-weights`: is this network that one, and its weights in our names."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from resbench.cli.completion import complete_networks, complete_settings
from resbench.cli.options import Force, Json, Plugins
from resbench.cli.terminal import echo

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
        help="depth=18 unit=original unit.change=project",
    ),
]
Map = Annotated[
    Path | None,
    typer.Option("--map", metavar="FILE", help="YAML: our parameter's name to the reference's, where walking is not enough."),
]  # fmt: skip


def verify(
    network: Network,
    against: Against,
    words: Words = None,
    size: Annotated[
        list[int] | None, typer.Option("--size", help="Pixels of the images; repeatable. Else 64 and 75.")
    ] = None,
    dtype: Annotated[
        list[str] | None, typer.Option("--dtype", help="float32 or float64; may be repeated. Else both.")
    ] = None,
    map_: Map = None,
    json: Json = False,
    plugins: Plugins = None,
) -> None:
    """Copy a reference's weights in and tell the largest differences; exit status 0 only where the two are equal."""
    from resbench.cli.request import request_of
    from resbench.cli.show import print_json, print_table
    from resbench.compiler.architecture import bind_network
    from resbench.errors import BadInput
    from resbench.verify.check import verify as check
    from resbench.verify.equal import TOLERANCES

    sizes, dtypes = size or [64, 75], dtype or list(TOLERANCES)
    for name in dtypes:
        if name not in TOLERANCES:
            raise BadInput(f"--dtype {name}: {' or '.join(TOLERANCES)} is needed")
    if not all(8 <= one <= 4096 for one in sizes):
        raise BadInput(f"--size: 8 to 4096 pixels are needed, got {', '.join(map(str, sizes))}")
    bound = bind_network(*request_of(network, tuple(words or ())))
    verdict = check(bound, against, sizes, dtypes, _map(map_))
    if json:
        said = {"equal": verdict.equal, "reference": against, "digest": verdict.digest, "params": list(verdict.params)}
        rows = [asdict(d) | {"equal": d.equal, "tolerances": list(TOLERANCES[d.dtype])} for d in verdict.differences]
        for row in rows:
            row.update({k: v if v != float("inf") else None for k, v in row.items()})
        print_json(
            said | {"differences": rows, "map": dict(verdict.pairing.names), "doubts": list(verdict.pairing.doubts)}
        )
    else:
        print_table(
            [">pixels", "type", ">output, eval", ">output, train", ">gradients", ">statistics", "", "furthest gradient"],
            [
                [d.size, d.dtype, *(f"{x:.1e}" for x in (d.eval_output, d.train_output, d.gradient, d.statistics)),
                 "equal" if d.equal else "NOT equal", d.worst if d.gradient else None]
                for d in verdict.differences
            ],
        )  # fmt: skip
        for doubt in verdict.pairing.doubts:
            echo(f"note: {doubt}", err=True)
        near, far = zip(*TOLERANCES.values(), strict=True)
        echo(
            f"{bound.name} of {bound.unit} {'is' if verdict.equal else 'is NOT'} {against}: "
            f"{verdict.params[0]:,} parameters, the reference has {verdict.params[1]:,}; largest differences of 4 images, "
            f"relative to the largest value, allowed {near[0]:g} and {near[1]:g}, of gradients {far[0]:g} and {far[1]:g}"
        )
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
            "--weights", metavar="FILE", help="The reference's own weights: .safetensors, or a torch state dict."
        ),
    ] = None,
    map_: Map = None,
    plugins: Plugins = None,
) -> None:
    """Keep a reference's weights under our names."""
    from resbench.cli.request import request_of
    from resbench.compiler.architecture import bind_network
    from resbench.compiler.canonical import canonical
    from resbench.compiler.export import safetensors_bytes
    from resbench.files import write
    from resbench.measure.room import require
    from resbench.verify.check import imported
    from resbench.verify.reference import load_weights, reference

    bound = bind_network(*request_of(network, tuple(words or ())))
    require("importing weights", bound, times=2)  # the network, and the bytes of the file
    source = reference(against, bound.classes)
    if weights is not None:
        load_weights(source, weights)
    ours, pairing = imported(bound, source, _map(map_))
    about = {"network": bound.name, "unit": bound.unit, "digest": canonical(bound).digest, "from": against}
    write(output, safetensors_bytes(ours, about), force=force)
    for doubt in pairing.doubts:
        echo(f"note: {doubt}", err=True)
    where = weights if weights is not None else "weights drawn from seed 0, since no --weights were given"
    echo(f"{output}: {len(pairing.names)} tensors of {against} ({where})")


def _map(path: Path | None) -> dict[str, str]:
    """Our names to the reference's. Raises BadInput where a value is no name."""
    from resbench.spec.node import plain
    from resbench.spec.yaml import read

    if path is None:
        return {}
    found = plain(read(path))
    assert isinstance(found, dict)
    return {name: str(other) for name, other in found.items()}
