"""`resbench ...` -> exit status.

0 done, 1 some cells failed, 2 bad input, 3 plugin, 4 database, 5 storage, 6 a worker's limit, 130 Ctrl-C, 143 SIGTERM.
"""

from __future__ import annotations

import os
import sys
import warnings
from contextlib import redirect_stderr
from functools import cache
from io import TextIOWrapper
from typing import Annotated, Any, TextIO

import typer
from typer.main import get_command

from resbench import __version__
from resbench.cli import data
from resbench.cli.architecture import analyze, net, ops, schema, unit
from resbench.cli.database import dashboard, query
from resbench.cli.database import database as db
from resbench.cli.echo import echo, format_warning, print_error, print_problem
from resbench.cli.options import use_plugins
from resbench.cli.plugins import commands as plugins
from resbench.cli.results import commands as results
from resbench.cli.results import report
from resbench.cli.study import commands as study
from resbench.cli.study import proxies, status, worker
from resbench.cli.usage_errors import UsageShown
from resbench.errors import ResbenchError
from resbench.store.connection.secrets import conceal, secrets_in

_SHORTEST_SECRET = 4  # a shorter one would hide parts of ordinary words in every message

app = typer.Typer(
    name="resbench",
    cls=UsageShown,
    help="Declare residual units in YAML, verify the networks that are built, train them and rank them with evidence.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(study.app, name="study")
app.add_typer(results.app, name="results")
app.add_typer(unit.app, name="unit")
app.add_typer(net.app, name="net")
app.add_typer(plugins.app, name="plugins")
app.add_typer(db.app, name="db")
study.app.command("proxies")(proxies.proxies)
study.app.command("status")(status.status)
app.command("analyze")(analyze.analyze)
app.command("worker")(worker.worker)
app.command("query")(query.query)
app.command("report")(report.report)
app.command("dashboard")(dashboard.dashboard)
app.command("ops")(ops.ops)
app.command("schema")(schema.schema)
app.command("data")(data.data)


def _version(asked: bool) -> None:
    if asked:
        echo(f"resbench {__version__}")
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    use_plugins(None)


def run() -> None:
    """Run the command line. Errors of resbench become a message on stderr and an exit status, without a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # where the encoding lacks the lines of tables
    words = (*sys.argv[1:], os.environ.get("RESBENCH_DB", ""))
    secrets = tuple(secret for word in words for secret in secrets_in(word) if len(secret) >= _SHORTEST_SECRET)
    if not secrets:
        return _run()
    with redirect_stderr(_Concealing(sys.stderr, secrets)):  # type: ignore[type-var]
        try:
            _run()
        except Exception as error:
            print_error(type(error), error, error.__traceback__)  # here, where secrets are concealed
            sys.exit(1)


class _Concealing:
    """A stream that conceals the passwords of the command line: the last line of defence, for usage errors and traces too."""

    def __init__(self, stream: TextIO, secrets: tuple[str, ...]) -> None:
        self._stream, self._secrets = stream, secrets

    def write(self, text: str) -> int:
        return self._stream.write(conceal(text, self._secrets))

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


@cache
def _command() -> Any:
    """Build the tree of all commands once: it takes 40 ms, which a process that runs many commands would pay each time."""
    return get_command(app)


def _run() -> None:
    warnings.formatwarning = format_warning
    try:
        _command()(prog_name="resbench")  # also for `python -m resbench`, since shells complete this name
    except ResbenchError as error:
        print_problem(error)
        sys.exit(error.exit_status)
    except BrokenPipeError:  # `resbench ... | head`
        sys.stderr.close()
        sys.exit(0)
    except Exception as error:
        from resbench.plugins.load import blamed

        fault = blamed(error)
        if fault is None:
            sys.excepthook = print_error
            raise
        print_problem(fault)
        sys.exit(fault.exit_status)
