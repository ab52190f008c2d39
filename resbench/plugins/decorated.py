"""A source file -> what it would register when imported: the group and name of each decorator, found without importing it."""

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
    """Group and name; of a name that is worked out, the file's own stands in. Of what is no Python, what the text shows.

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
    """Return what stands behind the names of a file, `NAME = "gain"`."""
    return {
        target.id: item.value
        for item in tree.body
        if isinstance(item, ast.Assign)
        for target in item.targets
        if isinstance(target, ast.Name)
    }


def _name(node: ast.expr, values: Mapping[str, ast.expr]) -> str | None:
    """`"gain"`, a constant that holds it, or the DatasetInfo that has it as its first argument."""
    if isinstance(node, ast.Name) and node.id in values:
        node = values[node.id]
    if isinstance(node, ast.Call):
        named = next((keyword.value for keyword in node.keywords if keyword.arg == "name"), None)
        node = named or (node.args[0] if node.args else node)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
