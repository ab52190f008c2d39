"""Options that several commands share, the choice of the database, and the activation of plugins."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from resbench.cli.echo import echo
from resbench.errors import BadInput
from resbench.language.library.lookup import at_home
from resbench.language.library.project import of_project

if TYPE_CHECKING:
    from resbench.plugins.plugin import Failure

Db = Annotated[
    str | None,
    typer.Option(
        "--db", metavar="URL", help="Database: a path or a URL. Default: RESBENCH_DB, then \\[tool.resbench] db, then "
        "resbench.db.",
        show_default=False,
    ),
]  # fmt: skip
Raw = Annotated[
    bool,
    typer.Option(
        "--raw",
        help="Write texts in CSV unchanged: without escapes, and without the apostrophe that protects from formulas.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Timeout = Annotated[
    float | None,
    typer.Option(
        "--timeout", min=1, max=86_400, metavar="SECONDS", show_default=False,
        help="Maximum seconds of a transaction. Default: RESBENCH_TRANSACTION_S, then 600.",
    ),
]  # fmt: skip
Checkpoints = Annotated[
    str | None,
    typer.Option(
        "--checkpoints", metavar="FOLDER", envvar="RESBENCH_CHECKPOINTS", show_default=False,
        help="The folder of checkpoints and kept weights, shared by all machines. Default: DATABASE.checkpoints.",
    ),
]  # fmt: skip
Force = Annotated[bool, typer.Option("--force", help="Replace FILE if it exists.")]


def use_plugins(given: list[Path] | None) -> list[Path] | None:
    """Activate the installed plugins, those of the project and those given. Each failure becomes a line on stderr.

    It is called for every command, and again with the folders of `--plugins`.
    """
    from resbench.language.library.lookup import is_folder
    from resbench.plugins.active import activate

    gone = next((folder for folder in given or () if not is_folder(folder)), None)
    if gone is not None:
        raise BadInput(f"--plugins: expected a folder, got {gone}")
    activate(given or (), _tell)
    return given


Plugins = Annotated[
    list[Path] | None,
    typer.Option(
        "--plugins", metavar="FOLDER", callback=use_plugins, show_default=False,
        help="Also use the plugin in this folder; may be repeated. Its code is run.",
    ),
]  # fmt: skip


def _tell(failure: Failure) -> None:
    echo(f"{failure} ({failure.plugin.hint})", err=True)


def database(given: str | None) -> str:
    """Return the first that is set: the option, RESBENCH_DB, `[tool.resbench] db` of the nearest pyproject.toml, resbench.db."""
    return given or os.environ.get("RESBENCH_DB") or _project_database() or "resbench.db"


def _project_database() -> str | None:
    file, value = of_project("db")
    if value is not None and not isinstance(value, str):
        raise BadInput(f"{file}: [tool.resbench] db: expected a text, got {value!r}")
    return value if value is None or "://" in value else str(file.parent / at_home(value))
