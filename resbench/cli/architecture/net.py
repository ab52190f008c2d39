"""`resbench net show NETWORK unit=UNIT`: a network's shapes and costs, without building it in memory."""

from __future__ import annotations

from typing import Annotated

import typer

from resbench.cli.architecture import export, verify
from resbench.cli.completion import complete_networks, complete_settings
from resbench.cli.echo import echo
from resbench.cli.options import Json, Plugins

app = typer.Typer(help="Show, export and verify networks.", no_args_is_help=True)


@app.command()
def show(
    network: Annotated[str, typer.Argument(help="A network's name or file.", autocompletion=complete_networks)],
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[unit=UNIT] [data=DATA] [NAME=VALUE]...",
            autocompletion=complete_settings,
            help="The unit, the data set and values of params, such as depth=110 unit.gate_bias=0.",
        ),
    ] = None,
    json: Json = False,
    plugins: Plugins = None,
) -> None:
    """Print the shapes at every unit, the parameters, the MACs and the digest of a network."""
    from resbench.api.architecture.words import network_report
    from resbench.cli.output import count, print_json, print_table

    report = network_report(network, tuple(words or ()))
    if json:
        print_json(report.as_json())
        return
    rows = [[r.path, r.ops, r.shape, count(r.params), count(r.macs)] for r in report.trace]
    print_table(["part", "ops", "shape", ">params", ">MACs"], rows)
    echo(
        f"{report.network} of {report.unit}: {report.params:,} parameters, {report.macs:,} MACs per image of {report.input}"
    )
    for name, value in report.metrics.items():
        if name not in ("params", "macs"):
            echo(f"{name} {value:,.6g}")
    echo(f"digest {report.digest}")
    if report.unpriced:
        echo(f"excluded from the MACs, since their cost is unknown: {', '.join(report.unpriced)}")
    for note in report.notes:
        echo(f"note: {note}")


app.command("export")(export.net)
app.command("verify")(verify.verify)
app.command("import-weights")(verify.import_weights)
