"""`resbench report STUDY -o report.html`: a study as one page, from the database alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from resbench.cli.completion import complete_studies
from resbench.cli.options import Db, Force, Plugins, database
from resbench.cli.terminal import echo


def report(
    study: Annotated[str, typer.Argument(help="The study's name.", autocompletion=complete_studies)],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FILE", help="Where the page goes; its ending is .html.")
    ] = Path("report.html"),
    force: Force = False,
    db: Db = None,
    plugins: Plugins = None,
) -> None:
    """A study as one HTML page that needs nothing else, from the database alone: evidence, units, provenance, repeating it."""
    from resbench.errors import BadInput
    from resbench.escape import printable
    from resbench.files import write
    from resbench.store.open import open_store

    if out.suffix.lower() not in (".html", ".htm"):
        raise BadInput(f"{printable(str(out), 200)}: a report is a page; endings: .html, .htm")
    engine = open_store(database(db), create=False)
    from resbench.html_report.build import page
    from resbench.html_report.render import html

    write(out, html(page(engine, study)).encode("utf-8"), force=force)
    echo(str(out))
