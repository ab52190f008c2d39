"""`resbench unit diff A B`: the differences between two units in one network."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from resbench.cli.completion import complete_settings, complete_units
from resbench.cli.echo import echo
from resbench.cli.options import Json, Plugins


def diff(
    first: Annotated[str, typer.Argument(metavar="A", help="A unit's name or file.", autocompletion=complete_units)],
    second: Annotated[
        str,
        typer.Argument(
            metavar="B", help="The name or the file of the unit to compare with.", autocompletion=complete_units
        ),
    ],
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[network=NAME] [NAME=VALUE]...",
            autocompletion=complete_settings,
            help="Values for both units; a.gate_bias=0 sets only A's param, b.gate_bias=-6 only B's.",
        ),
    ] = None,
    json: Json = False,
    plugins: Plugins = None,
) -> None:
    """Print the differences between two units, part by part of a small network. Exit status 0: equal; 1: different."""
    from resbench.api.architecture.words import bind_unit
    from resbench.cli.output import print_json
    from resbench.compiler.identity.canonical import canonical
    from resbench.compiler.identity.difference import difference

    given = tuple(words or ())
    common = tuple(word for word in given if not word.startswith(("a.", "b.")))
    bounds = [
        bind_unit(unit, (*common, *(w.removeprefix(side) for w in given if w.startswith(side))))[1]
        for unit, side in ((first, "a."), (second, "b."))
    ]
    digests = [canonical(bound).digest for bound in bounds]
    found = difference(*bounds)
    if json:
        print_json({"equal": digests[0] == digests[1], "digests": digests, "parts": [asdict(part) for part in found]})
        raise typer.Exit(0 if digests[0] == digests[1] else 1)
    if digests[0] == digests[1]:
        echo(f"{first} and {second} are one architecture in {bounds[0].name}: {digests[0]}")
        return
    for part in found:
        more = f" and {len(part.parts) - 1} more like it" if len(part.parts) > 1 else ""
        echo(f"{part.parts[0]}{more}")
        for sign, ops in (("-", part.only_first), ("+", part.only_second)):
            for op in ops:
                echo(f"  {sign} {op}")
        for change in part.arguments:
            echo(f"  ~ {change.path}: {change.was}  ->  {change.now}")
        for change in part.reads:
            echo(f"  ~ {change.path} reads {change.was}  ->  {change.now}")
    echo(
        f"- only in {first}, + only in {second}, ~ in both, changed; in {bounds[0].name}, {digests[0]} and {digests[1]}"
    )
    raise typer.Exit(1)
