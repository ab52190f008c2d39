"""The library's blocks, units, networks and recipes -> tables in Markdown."""

from __future__ import annotations

from collections.abc import Mapping

from resbench.escape import markdown
from resbench.language.graph.params import Choices, Param, Range
from resbench.language.library.library import Library
from resbench.language.library.lookup import INSTALLED
from resbench.language.yaml.node import flow, plain
from tools.docs.language_values import markdown_table


def blocks(library: Library) -> str:
    """Return every block with its params, which are its arguments."""
    parts = []
    for name in library.names("block"):
        block = library.block(name)
        sources = "" if block.inputs == ("x",) else f" Sources: {', '.join(block.inputs)}."
        cited = f" ({_words(block.cite)})" if block.cite else ""
        rows = [
            (f"`{key}`", default(param), _domain(param), _words(param.doc)) for key, param in block.body.params.items()
        ]
        table = f"\n\n{markdown_table(('argument', 'default', 'may be', 'is'), rows)}" if rows else ""
        parts.append(f"**`{name}`**: {_words(block.doc)}{cited}.{sources}{table}")
    return "\n\n".join(parts)


def units(library: Library) -> str:
    """Return the units by their folder."""
    folders: dict[str, list[tuple[str, ...]]] = {}
    for name in library.names("unit"):
        unit, path = library.unit(name), library.find("unit", name)
        if not path.is_relative_to(INSTALLED):  # a plugin's
            continue
        folder = path.parent.relative_to(INSTALLED).as_posix()
        row = (f"`{name}`", _words(unit.doc), _params(unit.body.params), _words(unit.cite))
        folders.setdefault(folder, []).append(row)
    tables = (
        f"### {folder}\n{markdown_table(('unit', 'is', 'params', 'source'), folders[folder])}"
        for folder in sorted(folders)
    )
    return "\n\n".join(tables)


def networks(library: Library) -> str:
    specs = [library.network(name) for name in library.names("network")]
    rows = [(f"`{spec.name}`", _words(spec.doc), _params(spec.params), _words(spec.cite)) for spec in specs]
    return markdown_table(("network", "is", "params", "source"), rows)


def recipes(library: Library) -> str:
    rows = []
    for name in library.names("recipe"):
        top = library.read("recipe", library.find("recipe", name)).mapping
        rows.append((f"`{name}`", *(_words(str(top[key].value)) if key in top else "" for key in ("doc", "cite"))))
    return markdown_table(("recipe", "is", "source"), rows)


def default(param: Param) -> str:
    return f"`by: {flow(plain(param.by))}`" if param.by is not None else f"`{flow(plain(param.default))}`"


def _domain(param: Param) -> str:
    """Return the allowed values; empty where any value is."""
    if isinstance(param.domain, Range):
        return f"{param.domain.low:g} to {param.domain.high:g}"
    return ", ".join(f"`{label}`" for label in param.domain.labels) if isinstance(param.domain, Choices) else ""


def _params(params: Mapping[str, Param]) -> str:
    """Return the params that a user may give, without those computed from others."""
    shown = {key: param for key, param in params.items() if param.by is None and not _worked_out(param)}
    return ", ".join(f"`{key}: {flow(plain(param.default))}`" for key, param in shown.items())


def _worked_out(param: Param) -> bool:
    return flow(plain(param.default)).startswith("$")


def _words(text: str) -> str:
    """Return a file's description; names in backticks are code."""
    return markdown(" ".join(text.split()), code=True)
