"""`resbench unit check|show|diff|export|list`: the commands that check, draw and export one unit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from resbench.cli.architecture import diff, export
from resbench.cli.completion import complete_settings, complete_units
from resbench.cli.echo import echo
from resbench.cli.options import Force, Json, Plugins
from resbench.errors import BadInput

app = typer.Typer(help="Check, draw and list units.", no_args_is_help=True)


@app.command()
def check(
    unit: Annotated[
        str, typer.Argument(metavar="FILE", help="A unit's YAML file, or a unit's name.", autocompletion=complete_units)
    ],
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[network=NAME] [PARAM=VALUE]...", autocompletion=complete_settings)
    ] = None,
    json: Json = False,
    plugins: Plugins = None,
) -> None:
    """Build a unit at its first, inner and transition places, and report every problem of its file with the line."""
    from resbench.language.library.library import Library
    from resbench.ops.schema import table

    folder = Path(unit).parent if unit.endswith(".yaml") else None
    Library(table(), folder).unit(unit)  # problems of the file are reported before torch is imported
    from resbench.api.architecture.words import unit_report
    from resbench.cli.output import count, print_json

    report = unit_report(unit, tuple(words or ()))
    if json:
        print_json(report.as_json())
        return
    for name, shape, params, macs in report.places:
        echo(f"{name:<12} {shape:<24} {count(params):>8} params  {count(macs):>8} MACs")
    for note in report.notes:
        echo(f"note: {note}")
    echo(f"{report.unit}: ok in {report.network}")


@app.command()
def show(
    unit: Annotated[
        str, typer.Argument(metavar="UNIT", help="A unit's name, or its YAML file.", autocompletion=complete_units)
    ],
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[network=NAME] [PARAM=VALUE]...", autocompletion=complete_settings)
    ] = None,
    place: Annotated[
        str | None,
        typer.Option(metavar="PLACE", help="first, inner, transition or all. Default: inner.", show_default=False),
    ] = None,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="text, svg, png, mermaid or dot. Default: by the ending of FILE, text without one.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="The file to write. Default: stdout.", show_default=False),
    ] = None,
    force: Force = False,
    json: Json = False,
    plugins: Plugins = None,
) -> None:
    """Draw a unit's graph, with the shape, the parameters and the MACs of every op."""
    from resbench.drawing.picture_format import asked_format
    from resbench.files import write
    from resbench.language.library.library import Library
    from resbench.ops.schema import table

    how = asked_format(format_, out)
    if json and (out is not None or format_ is not None):
        raise BadInput("--json prints to stdout: leave out --format and -o")
    Library(table(), Path(unit).parent if unit.endswith(".yaml") else None).unit(unit)  # as in `check`
    from resbench.api.architecture.draw import draw
    from resbench.api.architecture.picture import as_json
    from resbench.cli.architecture.picture import print_picture
    from resbench.cli.output import print_json

    picture = draw(unit, *(words or ()), place=place)
    if json:
        print_json(as_json(picture))
    elif out is not None:
        write(out, picture.render(how), force=force)
    else:
        print_picture(picture, how)


@app.command("list")
def list_(json: Json = False, plugins: Plugins = None) -> None:
    """List the units that are available in this folder."""
    from resbench.cli.output import print_json, print_table
    from resbench.language.library.library import Library, shown
    from resbench.ops.schema import table

    library = Library(table())
    rows = []
    for name in library.names("unit"):
        spec = library.unit(name)
        rows.append({"name": name, "doc": spec.doc, "cite": spec.cite, "params": list(spec.body.params)})
        rows[-1]["file"] = shown(library.find("unit", name))
    if json:
        print_json(rows)
    else:
        print_table(
            ["name", "description", "cite", "file"], [[r["name"], r["doc"], r["cite"], r["file"]] for r in rows]
        )


app.command("diff")(diff.diff)
app.command("export")(export.unit)
