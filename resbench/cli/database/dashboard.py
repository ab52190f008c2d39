"""`resbench dashboard STUDY`: optuna-dashboard on the same database, until Ctrl-C."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from resbench.cli.completion import complete_studies
from resbench.cli.echo import echo
from resbench.cli.options import Db, database


def dashboard(
    study: Annotated[str, typer.Argument(help="The study's name.", autocompletion=complete_studies)],
    db: Db = None,
    host: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="Address to listen on. Everybody who can reach it can change Optuna's tables."
        ),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes any free port.")] = 8080,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open a browser, if stdout is a terminal.")
    ] = True,
) -> None:
    """Serve optuna-dashboard for a study, with the leaderboard as its note. Requires pip install 'resbench\\[dashboard]'."""
    from resbench.store.open import open_store

    url = database(db)
    engine = open_store(url, create=False)
    from resbench.study.dashboard import dashboard as make
    from resbench.study.dashboard import serve

    def ready(address: str) -> None:
        echo(address)
        echo("press Ctrl-C to stop", err=True)
        if browser and sys.stdout.isatty():
            import webbrowser

            webbrowser.open(address)

    try:
        serve(make(engine, url, study), host, port, ready)
    except KeyboardInterrupt:
        echo("", err=True)
