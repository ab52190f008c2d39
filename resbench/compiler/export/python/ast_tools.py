"""Transform expressions as Python syntax trees: substitute names, fold constants, omit arguments with torch's default."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import cache

from torch import nn

Put = Callable[[str], ast.expr | None]
Defaults = Mapping[str, Mapping[str, object]]  # of constructors in the file itself: name -> argument -> default

_OF_FUNCTIONS = {"padding": 0, "dilation": 1, "ceil_mode": False, "count_include_pad": True}  # of torch.nn.functional's
_SIGNS: Mapping[type, Callable[[float, float], float]] = {
    ast.Add: lambda a, b: a + b, ast.Sub: lambda a, b: a - b, ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b, ast.FloorDiv: lambda a, b: a // b,
}  # fmt: skip


def parse(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def replaced(tree: ast.expr, put: Put) -> ast.expr:
    """Return a copy with another expression for each name that `put` has one for."""
    return _Replace(put).visit(ast.parse(ast.unparse(tree), mode="eval").body)  # type: ignore[no-any-return]


class _Replace(ast.NodeTransformer):
    def __init__(self, put: Put) -> None:
        self.put = put

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.put(node.id) or node


def names(tree: ast.AST) -> list[str]:
    """Return every name in the tree, as often as it occurs."""
    return [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]


def call(function: str, arguments: Sequence[ast.expr], by_name: Mapping[str, ast.expr]) -> ast.Call:
    return ast.Call(parse(function), list(arguments), [ast.keyword(key, value) for key, value in by_name.items()])


def tidied(tree: ast.expr, defaults: Defaults) -> ast.expr:
    """Return the tree with constants folded and arguments with default values removed."""
    return _Tidy(defaults).visit(tree)  # type: ignore[no-any-return]


class _Tidy(ast.NodeTransformer):
    def __init__(self, defaults: Defaults) -> None:
        self.defaults = defaults

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.op, ast.Mult) and isinstance(node.left, ast.Constant) and node.left.value == 1:
            return node.right
        sign = _SIGNS.get(type(node.op))
        if sign is None or not _is_number(node.left) or not _is_number(node.right):
            return node
        return ast.Constant(sign(node.left.value, node.right.value))  # type: ignore[attr-defined]

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        known = self.known(node.func)
        node.keywords = [keyword for keyword in node.keywords if not _is_default(keyword, known)]
        return node

    def known(self, function: ast.expr) -> Mapping[str, object]:
        text = ast.unparse(function)
        if text.startswith("nn.") and "." not in text[3:]:
            return _of_module(text.removeprefix("nn."))
        return _OF_FUNCTIONS if text.startswith("F.") else self.defaults.get(text, {})


def _is_default(keyword: ast.keyword, known: Mapping[str, object]) -> bool:
    """Return whether an argument has its default value."""
    value = keyword.value
    return keyword.arg in known and isinstance(value, ast.Constant) and value.value == known[keyword.arg or ""]


@cache
def _of_module(name: str) -> Mapping[str, object]:
    signature = inspect.signature(getattr(nn, name).__init__)
    return {key: p.default for key, p in signature.parameters.items() if p.default is not inspect.Parameter.empty}


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool)


def constant(value: object) -> ast.expr:
    """Return a constant as a tree, including the items of a tuple.

    >>> ast.unparse(constant((1, 0.5, "a")))
    "(1, 0.5, 'a')"
    """
    if isinstance(value, tuple):
        return ast.Tuple([constant(item) for item in value], ast.Load())
    assert value is None or isinstance(value, int | float | str)
    return ast.Constant(value)
