"""`resbench schema KIND`: the JSON Schema of a kind of file, with which an editor completes and checks it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from resbench.cli.completion import complete_kinds
from resbench.cli.echo import echo, write_file
from resbench.cli.options import Force, Plugins
from resbench.did_you_mean import did_you_mean
from resbench.errors import BadInput
from resbench.files import write


def schema(
    kind: Annotated[
        str,
        typer.Argument(metavar="KIND", help="unit, block, network, recipe or study.", autocompletion=complete_kinds),
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="The file to write. Default: stdout.")
    ] = None,
    force: Force = False,
    plugins: Plugins = None,
) -> None:
    """Print the JSON Schema (2020-12) of units, blocks, networks, recipes or studies, with all available ops and blocks."""
    from resbench.json_schema.schema import KINDS, schema_text
    from resbench.language.library.library import Library
    from resbench.ops.schema import table

    if kind not in KINDS:
        raise BadInput(f"KIND: expected {', '.join(KINDS)}, got `{kind}`{did_you_mean(kind, KINDS)}")
    text = schema_text(kind, Library(table()))
    if output is None:
        write_file(text)
        return
    write(output, text.encode(), force=force)
    echo(f"{output}: written", err=True)
