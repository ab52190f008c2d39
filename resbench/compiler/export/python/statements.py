"""Definitions and statements as syntax trees -> lines, laid out as in layout.py; comments are lost, docstrings are kept."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from resbench.compiler.export.python.formatter import WIDTH, lines, requoted, wrapped
from resbench.escape import python_docstring

_STEP = "    "
_BLOCKS = (ast.If, ast.For, ast.While, ast.With)


def statement(tree: ast.stmt, indent: str = "") -> list[str]:
    """Any statement.

    >>> print("\\n".join(statement(ast.parse("def f(a: int=1): a, b = (b, a)").body[0])))
    def f(a: int = 1):
        a, b = b, a
    """
    if isinstance(tree, ast.ClassDef):
        bases = f"({', '.join(ast.unparse(base) for base in tree.bases)})" if tree.bases else ""
        return [*_decorators(tree, indent), f"{indent}class {tree.name}{bases}:", *_body(tree.body, indent + _STEP)]
    if isinstance(tree, ast.FunctionDef):
        return [*_decorators(tree, indent), *_head(tree, indent), *_body(tree.body, indent + _STEP)]
    if isinstance(tree, _BLOCKS):
        return _block(tree, indent)
    return _simple(tree, indent)


def _body(body: list[ast.stmt], indent: str) -> list[str]:
    """A blank line behind a docstring of a class and between methods."""
    found: list[str] = []
    for i, part in enumerate(body):
        text = part.value.value if isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant) else None
        of_class = any(isinstance(other, ast.FunctionDef) for other in body)
        if found and of_class and (isinstance(part, ast.FunctionDef) or i == 1):
            found.append("")
        found += _docstring(text, indent) if isinstance(text, str) else statement(part, indent)
    return found


def _docstring(text: str, indent: str) -> list[str]:
    """As it was, but for what would end it, and for lines that are too wide; those go with the lines that continue them, two
    further in.
    """
    first, *more = python_docstring(text).split("\n")
    said = [f'{indent}"""{first}', *more]
    said[-1] += '"""'
    found: list[str] = []
    while said:
        line = said.pop(0)
        if len(line) <= WIDTH:
            found.append(line)
            continue
        deeper = line[: len(line) - len(line.lstrip())] + "  "
        while said and said[0].startswith(deeper):
            line += f" {said.pop(0).strip()}"
        top, *rest = wrapped(line.removesuffix('"""') if not said else line, deeper[2:])
        found += [top, *(wrapped(" ".join(rest), deeper if found else deeper[2:]) if rest else [])]
        found += [] if said or not line.endswith('"""') else [f'{indent}"""']
    return found


def _decorators(tree: ast.ClassDef | ast.FunctionDef, indent: str) -> list[str]:
    return [f"{indent}@{requoted(ast.unparse(decorator))}" for decorator in tree.decorator_list]


def _head(tree: ast.FunctionDef, indent: str) -> list[str]:
    returns = f" -> {ast.unparse(tree.returns)}" if tree.returns is not None else ""
    arguments = list(_arguments(tree.args))
    whole = f"{indent}def {tree.name}({', '.join(arguments)}){returns}:"
    if len(whole) <= WIDTH:
        return [whole]
    return [f"{indent}def {tree.name}(", *(f"{indent}{_STEP}{a}," for a in arguments), f"{indent}){returns}:"]


def _arguments(given: ast.arguments) -> Iterator[str]:
    plain = [*given.posonlyargs, *given.args]
    first = len(plain) - len(given.defaults)
    for i, argument in enumerate(plain):
        yield _argument(argument, given.defaults[i - first] if i >= first else None)
        if given.posonlyargs and i == len(given.posonlyargs) - 1:
            yield "/"
    if given.vararg is not None:
        yield f"*{_argument(given.vararg, None)}"
    elif given.kwonlyargs:
        yield "*"
    for argument, default in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        yield _argument(argument, default)
    if given.kwarg is not None:
        yield f"**{_argument(given.kwarg, None)}"


def _argument(argument: ast.arg, default: ast.expr | None) -> str:
    text = argument.arg + (f": {ast.unparse(argument.annotation)}" if argument.annotation is not None else "")
    sign = " = " if argument.annotation is not None else "="
    return requoted(text + (f"{sign}{ast.unparse(default)}" if default is not None else ""))


def _block(tree: ast.If | ast.For | ast.While | ast.With, indent: str) -> list[str]:
    body, rest = tree.body, [] if isinstance(tree, ast.With) else tree.orelse
    bare = ast.parse(ast.unparse(tree)).body[0]
    assert isinstance(bare, _BLOCKS)
    bare.body = [ast.Pass()]
    if not isinstance(bare, ast.With):
        bare.orelse = []
    head = requoted(ast.unparse(bare)).removesuffix("\n    pass")
    found = [f"{indent}{head}", *_body(body, indent + _STEP)]
    if isinstance(tree, ast.If) and len(rest) == 1 and isinstance(rest[0], ast.If):
        first, *more = _block(rest[0], indent)
        return [*found, f"{indent}el{first.strip()}", *more]
    return [*found, f"{indent}else:", *_body(rest, indent + _STEP)] if rest else found


def _simple(tree: ast.stmt, indent: str) -> list[str]:
    """One line where it fits."""
    before, value = "", None
    if isinstance(tree, ast.Assign):
        before = "".join(f"{ast.unparse(target).strip('()')} = " for target in tree.targets)
        value = tree.value
    elif isinstance(tree, ast.Return | ast.Expr):
        before, value = "return " if isinstance(tree, ast.Return) else "", tree.value
    elif isinstance(tree, ast.Raise) and tree.cause is None:
        before, value = "raise ", tree.exc
    if value is None:
        return [f"{indent}{line}" for line in requoted(ast.unparse(tree)).split("\n")]
    if isinstance(value, ast.Tuple) and len(value.elts) > 1 and not isinstance(tree, ast.Expr):
        row = f"{indent}{before}{requoted(', '.join(ast.unparse(item) for item in value.elts))}"
        if len(row) <= WIDTH:
            return [row]
    return lines(before, value, "", indent)
