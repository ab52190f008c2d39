"""`resbench plugins list|new|check`: list, write and check plugins."""

from __future__ import annotations

from os.path import lexists
from pathlib import Path
from typing import Annotated

import typer

from resbench.cli.completion import complete_networks
from resbench.cli.echo import echo, echo_lines
from resbench.cli.options import Json, Plugins
from resbench.did_you_mean import did_you_mean
from resbench.errors import BadInput
from resbench.escape import shell_line

app = typer.Typer(help="List, write and check plugins. Their code is run.", no_args_is_help=True)
Trace = Annotated[bool, typer.Option("--trace", help="Print the full traceback of each failure.")]


@app.command("list")
def list_(json: Json = False, trace: Trace = False, plugins: Plugins = None) -> None:
    """List the plugins that are active in this folder, what each provides, and what fails."""
    from resbench.cli.output import print_json, print_table
    from resbench.cli.plugins.inventory import inventory

    found = inventory()
    if json:
        print_json([item.as_json() for item in found])
        return
    if not found:
        echo("no plugins are active here; `resbench plugins new NAME` writes one", err=True)
        return
    rows = [[i.plugin.name, i.plugin.version or None, i.plugin.where, i.gives_text, i.state] for i in found]
    print_table(["name", "version", "from", "gives", "state"], rows)
    for item in found:
        for failure in item.failures:
            echo(str(failure), err=True)
            if trace and failure.trace:
                echo_lines(failure.trace.rstrip(), err=True)


@app.command()
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name of the package and of its op.")],
    folder: Annotated[
        Path, typer.Option("--dir", metavar="FOLDER", help="The folder to write the package to.")
    ] = Path(),
) -> None:
    """Write a package with an op and a unit. It can be installed, and it passes `plugins check`, without changes."""
    from resbench.language.library.library import Library
    from resbench.language.names import why_not
    from resbench.ops.schema import table
    from resbench.plugins.new import write_package

    library = Library(table())
    taken = {*library.op_names(), *(unit.removesuffix("_unit") for unit in library.names("unit"))}
    reason = why_not(name) or why_not(f"{name}_unit")
    if reason is None and name in taken:
        reason = f"`{name}` is the name of an op, a block or a unit already"
    if reason is None and not lexists(folder / name) and _is_installed(name):
        reason = f"`{name}` is the name of a Python package that is installed"
    if reason is not None:
        raise BadInput(f"plugins new: {reason}; choose another name")
    target = write_package(name, folder)
    echo(f"{target}: written. Next: {shell_line(['resbench', 'plugins', 'check', str(target)])}")


def _is_installed(name: str) -> bool:
    """Return whether a Python package of that name is installed. A plain folder in the current directory, which
    `python -m` would find, does not count.
    """
    from importlib.util import find_spec

    spec = find_spec(name)
    if spec is None:
        return False
    places = [Path(place).resolve().parent for place in spec.submodule_search_locations or ()]
    return spec.origin is not None or any(place != Path.cwd() for place in places)


@app.command()
def check(
    what: Annotated[str | None, typer.Argument(metavar="[NAME|FOLDER]", help="One plugin. Default: all.")] = None,
    network: Annotated[
        str,
        typer.Option(
            "--network",
            metavar="NETWORK",
            help="The network in which units are built.",
            autocompletion=complete_networks,
        ),
    ] = "resnet_cifar",
    plugins: Plugins = None,
) -> None:
    """Check all that a plugin provides: ops by the contract, units in a network, data sets by loading. Exit status 3: failure."""
    from resbench.language.library.lookup import is_folder
    from resbench.plugins.active import activate_also, active

    if what is not None and is_folder(Path(what)):
        activate_also([Path(what)])
    from resbench.cli.plugins.check import check_plugin
    from resbench.cli.plugins.inventory import inventory

    found = inventory()
    folder = Path(what).resolve() if what is not None else None
    chosen = [i for i in found if what is None or what == i.plugin.name or folder == i.plugin.folder]
    if what is not None and not chosen:
        names = [plugin.name for plugin in active().plugins]
        listed = ", ".join(names) or "none"
        raise BadInput(
            f"no plugin is called `{what}`{did_you_mean(what, names)}; plugins: {listed}; or give its folder"
        )
    good = True
    for item in chosen:
        echo(f"{item.plugin.label}, from {item.plugin.where}")
        for line in check_plugin(item, network):
            good = good and line.good
            echo_lines(f"  {'ok  ' if line.good else 'FAIL'} {line.what}: {line.result}")
            if line.trace:
                echo_lines(line.trace, err=True)
    if not chosen:
        echo("no plugins")
    raise typer.Exit(0 if good else 3)
