"""`resbench results rename OLD NEW`: a study under another name."""

from __future__ import annotations

from typing import Annotated

import typer

from resbench.cli.completion import complete_studies
from resbench.cli.options import Db, database
from resbench.cli.terminal import echo


def rename(
    old: Annotated[str, typer.Argument(metavar="OLD", help="The study's name.", autocompletion=complete_studies)],
    new: Annotated[str, typer.Argument(metavar="NEW", help="A name that no study has.")],
    db: Db = None,
) -> None:
    """Rename a study, and Optuna's study beside it; the database records that it was done, and by whom."""
    from resbench.cli.sealed import user
    from resbench.store.engine import open_store
    from resbench.store.rename import rename_study
    from resbench.study.host import is_gone

    rename_study(open_store(database(db), create=False), old, new, f"{user()}: resbench results rename", is_gone)
    echo(
        f"{old} is {new} now; `study: {new}` in its file, or `resbench study run FILE --fork {new}`, goes on with it",
        err=True,
    )
