"""`resbench dashboard STUDY`: optuna-dashboard on the same database, until Ctrl-C."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from resbench.cli.completion import complete_studies
from resbench.cli.options import Db, database
from resbench.cli.terminal import echo


def dashboard(
    study: Annotated[str, typer.Argument(help="The study's name.", autocompletion=complete_studies)],
    db: Db = None,
    host: Annotated[
        str, typer.Option(metavar="NAME", help="Where to listen. Whoever reaches it may change Optuna's tables.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")] = 8080,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open a browser, where stdout is a terminal.")
    ] = True,
) -> None:
    """Trials in a browser, with the leaderboard as the study's note. Needs pip install 'resbench\\[dashboard]'."""
    from resbench.store.open import open_store

    url = database(db)
    engine = open_store(url, create=False)
    from resbench.study.dashboard import dashboard as make
    from resbench.study.dashboard import serve

    def ready(address: str) -> None:
        echo(address)
        echo("Ctrl-C ends it", err=True)
        if browser and sys.stdout.isatty():
            import webbrowser

            webbrowser.open(address)

    try:
        serve(make(engine, url, study), host, port, ready)
    except KeyboardInterrupt:
        echo("", err=True)
