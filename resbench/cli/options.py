"""Options that several commands share, and where the database is."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Annotated

import typer

from resbench.errors import BadInput

Db = Annotated[
    str | None,
    typer.Option(
        "--db", metavar="URL", help="Database: a path or a URL. Else RESBENCH_DB, [tool.resbench] db, resbench.db.",
        show_default=False,
    ),
]  # fmt: skip
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def database(given: str | None) -> str:
    """The database: the option, else RESBENCH_DB, else `[tool.resbench] db` of the nearest pyproject.toml, else resbench.db."""
    return given or os.environ.get("RESBENCH_DB") or _of_project() or "resbench.db"


def _of_project() -> str | None:
    for folder in (Path.cwd(), *Path.cwd().parents):
        file = folder / "pyproject.toml"
        if file.is_file():
            try:
                value: object = tomllib.loads(file.read_text("utf-8"))
            except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
                raise BadInput(f"{file}: not TOML: {error}") from None
            for key in ("tool", "resbench", "db"):
                value = value.get(key) if isinstance(value, dict) else None
            if value is not None and not isinstance(value, str):
                raise BadInput(f"{file}: [tool.resbench] db: a text is needed, got {value!r}")
            return value if value is None or "://" in value else str(folder / Path(value).expanduser())
    return None
