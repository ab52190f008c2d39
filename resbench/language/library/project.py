"""Read `[tool.resbench]` of the nearest pyproject.toml, at or above the current folder."""

from __future__ import annotations

import tomllib
from pathlib import Path

from resbench.errors import BadInput
from resbench.language.library.lookup import at_home, is_folder


def of_project(key: str) -> tuple[Path, object]:
    """Return the file and the value of a key, None where it is absent. Raise BadInput for a file that is not TOML."""
    for folder in (Path.cwd(), *Path.cwd().parents):
        file = folder / "pyproject.toml"
        if file.is_file():
            try:
                value: object = tomllib.loads(file.read_text("utf-8"))
            except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
                raise BadInput(f"{file}: not TOML: {error}") from None
            for step in ("tool", "resbench", key):
                value = value.get(step) if isinstance(value, dict) else None
            return file, value
    return Path(), None


def project_plugins() -> list[Path]:
    """Return the plugin folders that the project names. Raise BadInput for any other value."""
    file, value = of_project("plugins")
    names = [] if value is None else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BadInput(f"{file}: [tool.resbench] plugins: a list of folders is needed, got {value!r}")
    folders = [file.parent / at_home(str(name)) for name in names]
    gone = next((folder for folder in folders if not is_folder(folder)), None)
    if gone is not None:
        raise BadInput(f"{file}: [tool.resbench] plugins: {gone} is no folder")
    return folders
