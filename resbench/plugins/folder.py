"""A folder named by the user -> Plugin: a package with entry points in its pyproject.toml, or a plain folder.

In a plain folder each `*.py` file with a decorator is a module, and `units/ blocks/ networks/ recipes/` hold spec files.
Nothing is imported.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

from resbench.errors import BadInput
from resbench.language.library.lookup import is_folder
from resbench.plugins.decorated import registered
from resbench.plugins.locate import code_of
from resbench.plugins.plugin import SPECS, Gift, Plugin, entries

MAX_BYTES = 2_000_000  # size limit of a file that is read


def read_folder(folder: Path) -> Plugin:
    """Read a folder. Raises BadInput if it does not exist, or contains nothing that a plugin can provide."""
    if not is_folder(folder):
        raise BadInput(f"plugins: {folder} is not a folder")
    folder = folder.resolve()
    project = _project(folder)
    points = _mapping(project, "entry-points")
    gives = entries({group: _mapping(points, group) for group in points})
    if gives:
        search = folder / "src" if (folder / "src").is_dir() else folder
        code = tuple(dict.fromkeys(path for gift in gives for path in code_of(gift.module, search)))
        name, version = project.get("name", folder.name), project.get("version", "")
        return Plugin(str(name), str(version), folder, gives, code, search)
    package = f"resbench_plugin_{blake2b(str(folder).encode(), digest_size=6).hexdigest()}"
    gives = (*_modules(folder, package), *_specs(folder))
    if not gives:
        raise BadInput(
            f"plugins: {folder} provides nothing: it has no pyproject.toml with entry points `resbench.ops`, ..., no *.py "
            f"with @op, @initialiser, @dataset, @metric, @proxy or @tracker, and no folder {', '.join(SPECS)}"
        )
    return Plugin(folder.name, "", folder, gives, tuple(folder.glob("*.py")), package=package)


def _project(folder: Path) -> Mapping[str, Any]:
    """Return `[project]` of its pyproject.toml; empty if there is none."""
    file = folder / "pyproject.toml"
    if not file.is_file():
        return {}
    try:
        return _mapping(tomllib.loads(file.read_text("utf-8")), "project")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise BadInput(f"plugins: {file}: cannot be read: {error}") from None


def _mapping(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def _modules(folder: Path, package: str) -> Iterator[Gift]:
    for path in sorted(folder.glob("*.py")):
        if not path.stem.isidentifier() or path.stat().st_size > MAX_BYTES:
            continue
        for group, name in registered(path.read_text("utf-8", "replace"), path.stem):
            yield Gift(group, name, f"{package}.{path.stem}", path=path)


def _specs(folder: Path) -> Iterator[Gift]:
    for group in SPECS:
        if (folder / group).is_dir():
            yield Gift(group, group, "", path=folder / group)
