"""A name or the path of a file -> the library around it.  No torch here."""

from __future__ import annotations

from pathlib import Path

from resbench.errors import SpecError
from resbench.language.library.inheritance import merge
from resbench.language.library.library import Library
from resbench.language.yaml.node import Node
from resbench.ops.schema import table


def library_of(file: str) -> Library:
    """Return the library that a name is looked up in; for the path of a file, with the files beside it."""
    return Library(table(), Path(file).parent if file.endswith(".yaml") else None)


def extended(library: Library, kind: str, node: Node) -> Node:
    """Return a program's mapping merged over the file that it `extends`, as a file would be read."""
    parent = node.mapping.get("extends")
    if parent is None:
        return node
    if not isinstance(parent.value, str):
        raise SpecError([parent.problem(f"expected a name, got {parent.shown()}")])
    rest = {key: value for key, value in node.mapping.items() if key != "extends"}
    return merge(library.read(kind, library.find(kind, parent.value)), Node(rest), tagged=kind == "recipe")
