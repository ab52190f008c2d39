"""A source file -> what its import would register: the group and name of each decorator, found without importing it."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

DECORATORS = {
    "op": "ops",
    "initialiser": "initialisers",
    "dataset": "datasets",
    "metric": "metrics",
    "proxy": "metrics",
    "tracker": "trackers",
}
_WRITTEN = re.compile(rf"^@({'|'.join(DECORATORS)})\(\s*[\"'](\w+)[\"']", re.MULTILINE)


def registered(source: str, stem: str) -> list[tuple[str, str]]:
    """Return groups and names; the file's name replaces a computed name. If the file is not valid Python, its text is searched.

    >>> registered('@op("gain")\\nclass Gain: ...', "file"), registered("@initialiser('odd')\\ndef broken(", "file")
    ([('ops', 'gain')], [('initialisers', 'odd')])
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return [(DECORATORS[word], name) for word, name in _WRITTEN.findall(source)]
    values = constants(tree)
    found = []
    for item in tree.body:
        for decorator in item.decorator_list if isinstance(item, ast.ClassDef | ast.FunctionDef) else ():
            if isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Name):
                group = DECORATORS.get(decorator.func.id)
                if group is not None and decorator.args:
                    found.append((group, _name(decorator.args[0], values) or stem))
    return found


def constants(tree: ast.Module) -> dict[str, ast.expr]:
    """Return the values of the constants of a file, `NAME = "gain"`."""
    return {
        target.id: item.value
        for item in tree.body
        if isinstance(item, ast.Assign)
        for target in item.targets
        if isinstance(target, ast.Name)
    }


def _name(node: ast.expr, values: Mapping[str, ast.expr]) -> str | None:
    """Return a name that is given as `"gain"`, as a constant, or as the first argument of a DatasetInfo; None if computed."""
    if isinstance(node, ast.Name) and node.id in values:
        node = values[node.id]
    if isinstance(node, ast.Call):
        named = next((keyword.value for keyword in node.keywords if keyword.arg == "name"), None)
        node = named or (node.args[0] if node.args else node)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
