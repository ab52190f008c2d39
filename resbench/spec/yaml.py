"""A YAML 1.2 file, or one value of the command line -> Node, with every problem of the text at once."""

from __future__ import annotations

from pathlib import Path

from resbench.errors import Place, Problem, SpecError
from resbench.spec.builder import Builder
from resbench.spec.check import Check, by_place
from resbench.spec.node import Node
from resbench.spec.source import read_source


def read(path: Path, shown: str | None = None, check: Check | None = None) -> Node:
    """The file's top mapping. Raises SpecError with every problem found; nothing in the file is ever executed.

    With `check`, problems that leave something to read go there, so that what else is wrong is found too.
    """
    name = shown or str(path)
    return read_text(read_source(path, name), name, check)


def read_text(text: str, name: str, check: Check | None = None) -> Node:
    builder = Builder(name, text)
    node = builder.document()
    if node is not None and node.value in (None, ""):
        node = None
    if not builder.problems and node is None:
        message = "the file is empty; its first key says what it is, as in `unit: my_unit`"
        builder.problems.append(Problem(message, "", Place(name, 1, 1)))
    elif not builder.stopped and node is not None and not node.mapping:
        builder.problems.append(
            node.problem(f"a mapping is needed at the top, as in `unit: my_unit`, got {node.shown()}")
        )
    if node is None or not node.mapping or (builder.problems and (check is None or builder.stopped)):
        raise SpecError(sorted(builder.problems, key=by_place))
    if check is not None:
        check.problems += builder.problems
    return node


def read_value(text: str, name: str, path: str = "") -> Node:
    """One value of any kind, as on the command line; no text at all is null. Raises SpecError."""
    builder = Builder(name, text)
    node = builder.document(path)
    if builder.problems:
        raise SpecError(builder.problems)
    return node or Node(None, Place(name, 1, 1, text), path)
