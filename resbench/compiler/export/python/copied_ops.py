"""Classes of ops that plain torch lacks -> their source, with the definitions that it needs, each once in a file."""

from __future__ import annotations

import ast
import builtins
import sys
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from torch import nn

from resbench.compiler.export.python.standalone import rewrite
from resbench.errors import PluginError

_IN_FILE = {  # imports that every file may use
    "torch": "import torch", "math": "import math", "nn": "from torch import nn", "Tensor": "from torch import Tensor",
    "F": "from torch.nn import functional as F", "OrderedDict": "from collections import OrderedDict",
}  # fmt: skip


RESERVED = frozenset({"chain", "group", "Stage", "unit"})  # names that a file may define itself


@dataclass(slots=True)
class CopiedOps:
    """The copied definitions; `trees` holds them by their name in the new file, each behind its dependencies; `imports`
    holds the import lines for the rest.
    """

    trees: dict[str, ast.stmt] = field(default_factory=dict)
    imports: dict[str, str] = field(default_factory=lambda: dict(_IN_FILE))
    defaults: dict[str, dict[str, object]] = field(default_factory=dict)
    dropped: dict[str, set[str]] = field(default_factory=dict)
    _known: dict[tuple[Path, str], str] = field(default_factory=dict)
    _files: dict[Path, _File] = field(default_factory=dict)

    def of_class(self, module: type[nn.Module]) -> str:
        """Copy a module's class and return its name in the new file."""
        path = sys.modules[module.__module__].__file__ if module.__module__ in sys.modules else None
        if path is None or module.__qualname__ not in (file := self.file(Path(path))).items:
            where = f"{module.__module__}.{module.__qualname__}"
            raise PluginError(
                f"{where} cannot be exported: its source is not at the top of a file; give the op a `code`"
            )
        return self.add(file, module.__qualname__)

    def file(self, path: Path) -> _File:
        if path not in self._files:
            self._files[path] = _File(path)
        return self._files[path]

    def add(self, file: _File, name: str) -> str:
        """Copy a definition and, before it, its dependencies."""
        if (file.path, name) in self._known:
            return self._known[file.path, name]
        chosen = name
        while chosen in self.trees or chosen in self.imports or chosen in RESERVED:
            chosen += "_"  # another file's
        self._known[file.path, name] = chosen
        rewritten = rewrite(file.items[name], file.doc)
        new = {used: self.resolve(file, used) for used in _needs(rewritten.tree)}
        new[name] = chosen
        tree = _Renamed(new).visit(rewritten.tree)
        if isinstance(tree, ast.ClassDef | ast.FunctionDef):
            tree.name = chosen
        self.trees[chosen] = tree
        self.defaults[chosen], self.dropped[chosen] = rewritten.defaults, rewritten.dropped
        return chosen

    def resolve(self, file: _File, name: str) -> str:
        """Return the name in the new file for a name of the old one."""
        if name in file.items:
            return self.add(file, name)
        if name not in file.imports:
            return name  # Python's own
        module, original = file.imports[name]
        source = _ours(file, module)
        if source is not None and original is not None:
            return self.add(self.file(source), original)
        line = f"import {module}" if original is None else f"from {module} import {original}"
        if name != (original or module):
            line += f" as {name}"
        self.imports.setdefault(name, line)
        return name


class _File:
    """A source file: its top-level definitions and its imports (name -> module, name there)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        tree = ast.parse(path.read_text("utf-8"))
        self.doc = (ast.get_docstring(tree) or "").split("\n")[0]
        self.items: dict[str, ast.stmt] = {}
        self.imports: dict[str, tuple[str, str | None]] = {}
        for item in tree.body:
            if isinstance(item, ast.ClassDef | ast.FunctionDef):
                self.items[item.name] = item
            elif isinstance(item, ast.Assign):
                self.items |= {t.id: item for t in item.targets if isinstance(t, ast.Name)}
            elif isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                self.items[item.target.id] = item
            elif isinstance(item, ast.Import):
                self.imports |= {a.asname or a.name.split(".")[0]: (a.name, None) for a in item.names}
            elif isinstance(item, ast.ImportFrom):
                base = "." * item.level + (item.module or "")
                self.imports |= {a.asname or a.name: (base, a.name) for a in item.names}


def _ours(file: _File, module: str) -> Path | None:
    """Return the file of a module that belongs to resbench or is beside the op's own; None for one that is installed
    separately.
    """
    if module.startswith("."):
        folder = file.path.parents[len(module) - len(module.lstrip(".")) - 1]
        return next((p for p in _candidates(folder, module.lstrip(".")) if p.is_file()), None)
    top = module.split(".")[0]
    if top == "resbench":
        spec = find_spec(module)
        return Path(spec.origin) if spec is not None and spec.origin else None
    if top == "torch" or top in sys.stdlib_module_names:
        return None
    folders = [folder for folder in file.path.parents if folder / top in file.path.parents]
    if file.path.parent.name != "site-packages":
        folders.append(file.path.parent)
    return next((p for folder in folders for p in _candidates(folder, module) if p.is_file()), None)


def _candidates(folder: Path, module: str) -> tuple[Path, Path]:
    path = folder.joinpath(*[part for part in module.split(".") if part])
    return path.with_suffix(".py"), path / "__init__.py"


def _needs(tree: ast.stmt) -> list[str]:
    """Return the external names, in the order of first use."""
    bound = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    bound |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    used = dict.fromkeys(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))
    return [name for name in used if name not in bound and name not in dir(builtins)]


class _Renamed(ast.NodeTransformer):
    def __init__(self, new: dict[str, str]) -> None:
        self.new = new

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Name(self.new.get(node.id, node.id), node.ctx)
