"""Module name -> its source file, without importing anything of the package."""

from __future__ import annotations

from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from pathlib import Path

from resbench.errors import Reason


def source_of(module: str, search: Path | None = None) -> Path:
    """Return the file of a module. `search`: the folder to search, by default Python's path. Raises Reason if
    there is none.
    """
    top, *rest = module.split(".")
    places = _top(top, search)
    for place in places:
        if place.is_file() and not rest:
            return place
        package = place.joinpath(*rest)
        for file in (package.with_suffix(".py") if rest else package, package / "__init__.py"):
            if file.is_file():
                return file
    raise Reason(f"there is no module `{module}` in {', '.join(map(str, places))}")


def folder_of(package: str, search: Path | None = None) -> Path:
    """Return the folder of a package, with or without `__init__.py`. Raises Reason if there is none."""
    top, *rest = package.split(".")
    for place in _top(top, search):
        if place.joinpath(*rest).is_dir():
            return place.joinpath(*rest)
    raise Reason(f"there is no package folder `{package}`")


def code_of(module: str, search: Path | None = None) -> list[Path]:
    """Return the folders or file of a module's top-level package; empty if it cannot be found."""
    try:
        return _top(module.partition(".")[0], search)
    except Reason:
        return []


def _top(name: str, search: Path | None) -> list[Path]:
    """Return the folders of a top-level package, or its single file, without importing anything."""
    spec = _spec(name, search) if name.isidentifier() else None
    if spec is not None and spec.submodule_search_locations is not None:
        return [Path(place).resolve() for place in spec.submodule_search_locations]
    if spec is not None and spec.origin is not None and spec.origin.endswith(".py"):
        return [Path(spec.origin).resolve()]
    raise Reason(f"there is no package `{name}`" + (f" in {search}" if search is not None else ""))


def _spec(name: str, search: Path | None) -> ModuleSpec | None:
    if search is not None:
        return PathFinder.find_spec(name, [str(search)])
    try:
        return find_spec(name)
    except ValueError:  # a module without a spec is in sys.modules
        return None
