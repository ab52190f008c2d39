"""A class or function of an op's file -> the same for a file without resbench, as a syntax tree.

`starts` become calls of nn.init, `Reason` a ValueError, `Parametric` and `Random` nn.Module; code that only resbench's
own training reads is removed, and so are arguments that nothing else reads.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field

from resbench.ops.schema import argument_docs

_BASES = {"Parametric", "Random", "Overwriting", "ABC"}
_GONE = ("generator=self.generator", "inplace=self.overwrites")
_OURS = {"starts", "buffer_starts", "on_host", "several"}
_NONE: ast.expr = ast.Constant(None)


@dataclass(slots=True)
class Rewritten:
    """A rewritten definition. `defaults`: the constructor's, by argument. `dropped`: removed arguments."""

    tree: ast.stmt
    defaults: dict[str, object] = field(default_factory=dict)
    dropped: set[str] = field(default_factory=set)


def rewrite(item: ast.stmt, doc: str) -> Rewritten:
    """Rewrite a definition; `doc`, the first line of the file, becomes that of a class's docstring."""
    tree = _Plain().visit(ast.parse(ast.unparse(item)).body[0])
    result = Rewritten(tree)
    if isinstance(tree, ast.ClassDef):
        _class(tree, doc, result)
    return result


class _Plain(ast.NodeTransformer):
    """A transformer to plain torch: standard exceptions, and torch's own random stream."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Name("ValueError", node.ctx) if node.id in ("Reason", "Fact") else node

    def visit_If(self, node: ast.If) -> ast.If | None:
        """Remove the branches for K networks as one."""
        self.generic_visit(node)
        return None if "self.several" in ast.unparse(node.test) else node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """Rewrite for one process with the whole batch: `self.own(drawn)` is `drawn`, `self.room(x, shape)` is memory
        for that batch.
        """
        self.generic_visit(node)
        called = ast.unparse(node.func)
        if called == "self.own":
            return node.args[0]
        if called == "self.room":
            x, shape = map(ast.unparse, node.args)
            return ast.parse(f"{x}.new_empty((len({x}), *{shape}))", mode="eval").body
        node.keywords = [k for k in node.keywords if ast.unparse(k) not in _GONE]
        return node


def _class(tree: ast.ClassDef, doc: str, result: Rewritten) -> None:
    tree.decorator_list = [d for d in tree.decorator_list if not ast.unparse(d).startswith("op(")]
    module: list[ast.expr] = [ast.parse("nn.Module", mode="eval").body]
    tree.bases = [base for base in tree.bases if ast.unparse(base) not in _BASES] or module
    tree.body = _left(tree.body, {})
    for function in tree.body:
        if isinstance(function, ast.FunctionDef) and function.name == "__init__":
            given = function.args
            defaults = {
                argument.arg: default
                for argument, default in zip(given.kwonlyargs, given.kw_defaults, strict=True)
                if default is not None
            }
            function.body = _left(function.body, defaults)
            read = {node.id for part in function.body for node in ast.walk(part) if isinstance(node, ast.Name)}
            result.dropped = {argument.arg for argument in given.kwonlyargs} - read
            result.defaults = {k: ast.literal_eval(v) for k, v in defaults.items() if k not in result.dropped}
            kept = [argument for argument in given.kwonlyargs if argument.arg in read]
            given.kwonlyargs, given.kw_defaults = kept, [defaults.get(argument.arg) for argument in kept]
    _document(tree, doc, result.dropped)
    if "self.generator" in ast.unparse(tree):
        tree.body.insert(1, ast.parse("generator: torch.Generator | None = None").body[0])


def _left(body: list[ast.stmt], defaults: Mapping[str, ast.expr]) -> list[ast.stmt]:
    """Return the remaining statements; those that declare how parameters start become calls."""
    kept: list[ast.stmt] = []
    for part in body:
        name, key, value = _assigned(part)
        if name in ("starts", "buffer_starts") and value is not None:
            pairs = [(key, value)] if key is not None else _pairs(value)
            kept += [call for k, v in pairs if (call := _start(k, v, defaults, of_buffer=name != "starts")) is not None]
        elif name not in _OURS:
            if isinstance(part, ast.If | ast.For):
                part.body, part.orelse = _left(part.body, defaults), _left(part.orelse, defaults)
                if not part.body and not part.orelse:
                    continue
                part.body = part.body or [ast.Pass()]
            kept.append(part)
    return kept


def _assigned(part: ast.stmt) -> tuple[str, ast.expr | None, ast.expr | None]:
    """`self.starts["bias"] = value` -> starts, the key, the value."""
    if isinstance(part, ast.AnnAssign):
        return ast.unparse(part.target).removeprefix("self."), None, part.value
    if not isinstance(part, ast.Assign):
        return "", None, None
    target = part.targets[0]
    key = target.slice if isinstance(target, ast.Subscript) else None
    return (
        ast.unparse(target.value if isinstance(target, ast.Subscript) else target).removeprefix("self."),
        key,
        part.value,
    )


def _pairs(value: ast.expr) -> list[tuple[ast.expr, ast.expr]]:
    return [(k, v) for k, v in zip(value.keys, value.values, strict=True) if k] if isinstance(value, ast.Dict) else []


def _start(key: ast.expr, value: ast.expr, defaults: Mapping[str, ast.expr], *, of_buffer: bool) -> ast.stmt | None:
    """A parameter's Start, or a buffer's number -> the call that gives it."""
    if isinstance(key, ast.Constant):
        target = f"self.{key.value!s}"
    else:
        target = f"self.get_{'buffer' if of_buffer else 'parameter'}({ast.unparse(key)})"
    initial, fan_in = value, "1"
    if not of_buffer:
        if not isinstance(value, ast.Call) or ast.unparse(value.func) != "Start":
            return None
        given = dict(zip(("kind", "fan_in", "fan_out", "initial"), value.args, strict=False))
        given |= {k.arg: k.value for k in value.keywords if k.arg}
        initial = given.get("initial", _NONE)
        fan_in = ast.unparse(given["fan_in"]) if "fan_in" in given else "1"
    if isinstance(initial, ast.Name):
        initial = defaults.get(initial.id, initial)
    return ast.parse(start_call(target, initial, fan_in)).body[0]


def start_call(target: str, initial: ast.expr, fan_in: str = "1") -> str:
    """Return the call of nn.init; None, the recipe's choice, becomes N(0, 2 / fan_in).

    >>> start_call("self.weight", ast.Constant(0.0)), start_call("self.weight", ast.Constant(-6.0))
    ('nn.init.zeros_(self.weight)', 'nn.init.constant_(self.weight, -6.0)')
    """
    if isinstance(initial, ast.Constant) and initial.value is None:
        return f"nn.init.normal_({target}, std=math.sqrt(2 / {fan_in}))"
    if isinstance(initial, ast.Constant) and initial.value in (0, 1):
        return f"nn.init.{'ones' if initial.value else 'zeros'}_({target})"
    return f"nn.init.constant_({target}, {ast.unparse(initial)})"


def _document(tree: ast.ClassDef, doc: str, dropped: set[str]) -> None:
    """Keep its docstring without the lines on removed arguments."""
    given = ast.get_docstring(tree)
    if given is not None:
        about, _ = argument_docs(given, dropped)
        tree.body = tree.body[1:]
        doc = "\n\n".join(text for text in (doc, about) if text)
    if doc:
        first, *more = doc.split("\n")
        text = "\n".join([first, *(f"    {line}".rstrip() for line in more), *(["    "] if more else [])])
        tree.body.insert(0, ast.Expr(ast.Constant(text)))
    if not tree.body:
        tree.body.append(ast.Pass())
