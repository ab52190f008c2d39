"""Options that several commands share, where the database is, and which plugins are used."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from resbench.cli.terminal import echo
from resbench.errors import BadInput
from resbench.language.library.lookup import at_home
from resbench.language.library.project import of_project

if TYPE_CHECKING:
    from resbench.plugins.plugin import Failure

Db = Annotated[
    str | None,
    typer.Option(
        "--db", metavar="URL", help="Database: a path or a URL. Else RESBENCH_DB, \\[tool.resbench] db, resbench.db.",
        show_default=False,
    ),
]  # fmt: skip
Raw = Annotated[
    bool,
    typer.Option(
        "--raw",
        help="In CSV, texts as they are: no apostrophe before what a spreadsheet takes for a formula, no escapes.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Timeout = Annotated[
    float | None,
    typer.Option(
        "--timeout", min=1, max=86_400, metavar="SECONDS", show_default=False,
        help="Seconds that a transaction may take. Else RESBENCH_TRANSACTION_S, 600.",
    ),
]  # fmt: skip
Checkpoints = Annotated[
    str | None,
    typer.Option(
        "--checkpoints", metavar="FOLDER", envvar="RESBENCH_CHECKPOINTS", show_default=False,
        help="A folder for runs under way and weights, shared by several machines. Else DATABASE.checkpoints.",
    ),
]  # fmt: skip
Force = Annotated[bool, typer.Option("--force", help="Replace FILE where it exists already.")]


def use_plugins(given: list[Path] | None) -> list[Path] | None:
    """Of this process: the installed plugins, those of the project, those given. Each failure becomes a line on stderr.

    Called for every command, and again with what stands behind `--plugins`.
    """
    from resbench.language.library.lookup import is_folder
    from resbench.plugins.active import activate

    gone = next((folder for folder in given or () if not is_folder(folder)), None)
    if gone is not None:
        raise BadInput(f"--plugins {gone}: is no folder")
    activate(given or (), _tell)
    return given


Plugins = Annotated[
    list[Path] | None,
    typer.Option(
        "--plugins", metavar="FOLDER", callback=use_plugins, show_default=False,
        help="Use the plugin in this folder too; may be given again. Its code is run.",
    ),
]  # fmt: skip


def _tell(failure: Failure) -> None:
    echo(f"{failure} ({failure.plugin.hint})", err=True)


def database(given: str | None) -> str:
    """Return the database: the option, else RESBENCH_DB, else `[tool.resbench] db` of the nearest pyproject.toml, else
    resbench.db.
    """
    return given or os.environ.get("RESBENCH_DB") or _project_database() or "resbench.db"


def _project_database() -> str | None:
    file, value = of_project("db")
    if value is not None and not isinstance(value, str):
        raise BadInput(f"{file}: [tool.resbench] db: a text is needed, got {value!r}")
    return value if value is None or "://" in value else str(file.parent / at_home(value))
