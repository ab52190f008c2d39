"""Classes and copies -> the text of a file: imports of what is used, helpers, classes, under a header."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from resbench.compiler.export.python.classes import Class
from resbench.compiler.export.python.copied_ops import CopiedOps
from resbench.compiler.export.python.formatter import docstring, lines, requoted, statement

_HELPERS = {
    "chain": '''
def chain(**layers: nn.Module) -> nn.Sequential:
    """Layers one after the other, each under its name."""
    return nn.Sequential(OrderedDict(layers))
''',
    "group": '''
def group(**modules: nn.Module) -> nn.Module:
    """Modules that are called one by one, each under its name."""
    box = nn.Module()
    for name, module in modules.items():
        box.add_module(name, module)
    return box
''',
}


def file_text(header: Sequence[str], copies: CopiedOps, body: Sequence[str]) -> str:
    """Return the text of a file. `body` holds the definitions; those that the last ones do not need are omitted.
    Helpers and imports are added where they are used.
    """
    written = {**_HELPERS, **{name: "\n".join(statement(tree)) for name, tree in copies.trees.items()}}
    written |= {_defined(text): text for text in body}
    needed, waiting = set[str](), [_defined(body[-1])]
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += _names(written[name]) & set(written)
    parts = [text.strip("\n") for name, text in written.items() if name in needed]
    used = _names("\n\n".join(parts))
    imports = _imports({line for name, line in copies.imports.items() if name in used})
    head = "\n".join(docstring(header, ""))
    return "\n\n\n".join([f"{head}\n\nfrom __future__ import annotations\n\n{imports}", *parts]) + "\n"


def _defined(text: str) -> str:
    """Return the name of the class or function."""
    (item,) = ast.parse(text).body
    assert isinstance(item, ast.ClassDef | ast.FunctionDef)
    return item.name


def _names(source: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}


def _imports(written: set[str]) -> str:
    """Return the import lines: the standard library first, then the rest, one line for each module."""
    blocks: list[list[str]] = [[], []]
    of_module: dict[str, list[str]] = {}
    for line in sorted(written):
        if line.startswith("from ") and " as " not in line:
            module, _, name = line.removeprefix("from ").partition(" import ")
            of_module.setdefault(module, []).append(name)
        else:
            blocks[line.split()[1].split(".")[0] == "torch"].append(line)
    for module, names in of_module.items():
        ordered = sorted(names, key=lambda name: (not name[0].isupper(), name))
        blocks[module.split(".")[0] == "torch"].append(f"from {module} import {', '.join(ordered)}")
    ordered_blocks = [sorted(block, key=lambda line: (line.startswith("from"), line)) for block in blocks]
    return "\n\n".join("\n".join(block) for block in ordered_blocks if block)


def class_text(one: Class, words: str) -> str:
    """Return a unit's or a block's class; `words`: its docstring."""
    types = [f"{name}: {_type(vector)}" for name, vector in one.constructor.arguments.items()]
    forward = ", ".join(f"{name}: Tensor" for name in one.inputs)
    out = [f"class {one.name}(nn.Module):", *docstring([words], "    ")]
    if one.members or one.kept:
        out += ["", f"    def __init__({', '.join(['self', *types])}) -> None:", "        super().__init__()"]
        for name, tree in one.constructor.local.items():
            out += lines(f"{name} = ", tree, "", "        ")
        if one.kept:
            out.append(f"        {', '.join(f'self.{name}' for name in one.kept)} = {', '.join(one.kept)}")
        for name, tree in one.members.items():
            out += lines(f"self.{name} = ", tree, "", "        ")
        for tree in one.starts:
            out += lines("", tree, "", "        ")
    out += ["", f"    def forward(self, {forward}) -> Tensor:"]
    for name, tree in one.lines:
        out += lines(f"{name} = " if name else "return ", tree, "", "        ")
    return "\n".join(out)


def _type(vector: Sequence[int | float]) -> str:
    return "int" if all(isinstance(value, int) for value in vector) else "float"


def stage_text(*, before: bool) -> str:
    """Return the class of a stage."""
    if not before:
        return """class Stage(nn.Module):
    def __init__(self, *units: nn.Module) -> None:
        super().__init__()
        self.units = nn.Sequential(*units)

    def forward(self, x: Tensor) -> Tensor:
        return self.units(x)"""
    return '''class Stage(nn.Module):
    """What stands before the units, then the units."""

    def __init__(self, *units: nn.Module, before: nn.Module | None = None) -> None:
        super().__init__()
        self.before = before or nn.Identity()
        self.units = nn.Sequential(*units)

    def forward(self, x: Tensor) -> Tensor:
        return self.units(self.before(x))'''


def network_text(name: str, words: str, parts: Mapping[str, ast.expr], starts: Sequence[ast.expr]) -> str:
    """`parts`: stem, stages and head, those that are there."""
    out = [f"class {name}(nn.Module):", *docstring([words], "    "), "", "    def __init__(self) -> None:"]
    out.append("        super().__init__()")
    for part, tree in parts.items():
        out += lines(f"self.{part} = ", tree, "", "        ")
    for tree in starts:
        out += lines("", tree, "", "        ")
    result = "x"
    for part in parts:
        result = f"self.{part}({result})"
    return "\n".join([*out, "", "    def forward(self, x: Tensor) -> Tensor:", f"        return {requoted(result)}"])


def unit_text(name: str, making: ast.expr, words: str) -> str:
    """Return the function that makes one unit."""
    return "\n".join([f"def unit() -> {name}:", *docstring([words], "    "), *lines("return ", making, "", "    ")])
