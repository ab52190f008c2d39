"""`resbench report STUDY -o report.html`: a study as one page, from the database alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from resbench.cli.completion import complete_studies
from resbench.cli.echo import echo
from resbench.cli.options import Db, Force, Plugins, database


def report(
    study: Annotated[str, typer.Argument(help="The study's name.", autocompletion=complete_studies)],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FILE", help="The file to write; it must end in .html.")
    ] = Path("report.html"),
    force: Force = False,
    db: Db = None,
    plugins: Plugins = None,
) -> None:
    """Write a study as a self-contained HTML page, from the database alone: evidence, units, provenance, how to repeat it."""
    from resbench.errors import BadInput
    from resbench.escape import printable
    from resbench.files import write
    from resbench.store.open import open_store

    if out.suffix.lower() not in (".html", ".htm"):
        raise BadInput(f"-o: expected a file name that ends in .html or .htm, got {printable(str(out), 200)}")
    engine = open_store(database(db), create=False)
    from resbench.html_report.build import page
    from resbench.html_report.render import html

    write(out, html(page(engine, study)).encode("utf-8"), force=force)
    echo(str(out))
