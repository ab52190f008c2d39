"""`$name` or `$(arithmetic)` -> value.

A name is looked up only when its branch is taken, so an unused param is never evaluated.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from resbench.errors import Reason
from resbench.language.expressions.grammar import MAX_NUMBER, Tree, parse

Value = None | bool | int | float | str | tuple[Any, ...]
Lookup = Callable[[str], Any]

_BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
    "//": operator.floordiv, "%": operator.mod, "**": operator.pow,
}  # fmt: skip
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "min": min, "max": max, "sqrt": math.sqrt, "floor": math.floor,
    "ceil": math.ceil, "round": round, "log2": math.log2,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression; `text` is its source."""

    text: str
    tree: Tree

    @staticmethod
    def parse(text: str) -> Expression:
        """`$name`, `$(...)` -> Expression. Raise Reason for a syntax error.

        >>> Expression.parse("$(2 * width if first else in)").evaluate({"width": 8, "first": True}.__getitem__)
        16
        >>> Expression.parse("$(out / 4)").evaluate({"out": 64}.__getitem__)
        16
        """
        if text.startswith("$(") and text.endswith(")"):
            return Expression(text, parse(text[2:-1]))
        if re.fullmatch(r"\$[A-Za-z_][A-Za-z0-9_]*", text):
            return Expression(text, ("name", text[1:]))
        if text.startswith("$("):
            if text.count("(") > text.count(")"):
                raise Reason(cut_short(text))
            raise Reason(f"`{text}` has text behind its `)`; an expression stands for a whole value")
        raise Reason(f"`{text}` is no expression: `$name` and `$(...)` stand for a whole value, never for part of one")

    def evaluate(self, lookup: Lookup) -> Any:
        try:
            return evaluate(self.tree, lookup)
        except RecursionError:  # a lookup may lead to another expression, and so on
            raise Reason("it depends on too many other expressions in a chain") from None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(_leaves(self.tree, "name")))

    @property
    def texts(self) -> tuple[str, ...]:
        """Return the string literals of the expression, which may be names of nodes."""
        return tuple(value for value in _leaves(self.tree, "value") if isinstance(value, str))


def cut_short(text: str) -> str:
    """Return the message for an expression that YAML split at a comma or bracket."""
    return f'`{text}` is cut short: inside {{ }} or [ ] an expression with a comma or [ ] needs quotes, "$(...)"'


def evaluate(tree: Tree, lookup: Lookup) -> Any:
    """Tree -> value; a whole number is an int. Raise Reason for an undefined operation."""
    return _tidy(_evaluate(tree, lookup))


def _tidy(value: Any) -> Any:
    if isinstance(value, int | float) and not abs(value) <= MAX_NUMBER:  # not `>`: nan is neither
        raise Reason(f"the result is {'beyond 10^15' if math.isfinite(value) else f'{value}, not a finite number'}")
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _evaluate(tree: Tree, lookup: Lookup) -> Any:
    kind = tree[0]
    if kind == "value":
        return tree[1]
    if kind == "name":
        return lookup(tree[1])
    if kind == "if":
        return _evaluate(tree[1] if _truth(_evaluate(tree[2], lookup)) else tree[3], lookup)
    if kind in ("and", "or"):
        left = _truth(_evaluate(tree[1], lookup))
        return left if left == (kind == "or") else _truth(_evaluate(tree[2], lookup))
    if kind == "not":
        return not _truth(_evaluate(tree[1], lookup))
    arguments = [_evaluate(argument, lookup) for argument in tree[2:]]
    try:
        return _apply(kind, tree[1], arguments)
    except ZeroDivisionError:
        raise Reason("division by zero") from None
    except ValueError:
        raise Reason(f"{tree[1]} of {_shown(arguments)} is not a real number") from None
    except OverflowError:
        raise Reason(f"{tree[1]} of {_shown(arguments)} is too large") from None


def _apply(kind: str, name: str, arguments: list[Any]) -> Any:
    if kind == "compare":
        left, right = arguments
        if name not in ("==", "!="):
            _numbers(name, arguments)
        elif unsupported := [value for value in arguments if not isinstance(value, None | bool | int | float | str)]:
            raise Reason(f"`{name}` compares numbers, texts, true and false, got {_shown(unsupported)}")
        same = all(isinstance(left, kind) == isinstance(right, kind) for kind in (str, bool))  # 1 must not equal true
        return _COMPARE[name](left, right) if same else name == "!="
    if kind == "index":
        items, index = arguments
        if not isinstance(items, tuple):
            raise Reason(f"[ ] needs a list, got {_shown([items])}")
        if isinstance(index, bool) or not isinstance(index, int) or not -len(items) <= index < len(items):
            raise Reason(f"index {_shown([index])} is outside a list of {len(items)}")
        return items[index]
    if kind == "call" and name in ("min", "max") and len(arguments) == 1 and isinstance(arguments[0], tuple):
        arguments = list(arguments[0])
    _numbers(name, arguments)
    if kind == "call":
        if not arguments or (name not in ("min", "max") and len(arguments) != 1):
            raise Reason(f"{name}() takes {'one or more' if name in ('min', 'max') else 'one'}, got {len(arguments)}")
        return _FUNCTIONS[name](*arguments)
    if kind == "minus":
        return -arguments[0]
    if name == "**" and (abs(arguments[0]) > 10**6 or abs(arguments[1]) > 64):
        raise Reason(f"{_shown(arguments[:1])} ** {_shown(arguments[1:])} is too large")
    result = _BINARY[name](*arguments)
    if isinstance(result, complex):
        raise Reason(f"{_shown(arguments[:1])} ** {_shown(arguments[1:])} is not a real number")
    return _tidy(result)


def _numbers(name: str, values: list[Any]) -> None:
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Reason(f"`{name}` needs numbers, got {_shown([value])}")


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Reason(f"true or false is needed, got {_shown([value])}")
    return value


def _shown(values: list[Any]) -> str:
    return ", ".join(
        f"'{v}'" if isinstance(v, str) else str(v).lower() if isinstance(v, bool) else str(v) for v in values
    )


def _leaves(tree: Tree, kind: str) -> Iterator[Any]:
    if tree[0] in ("name", "value"):
        if tree[0] == kind:
            yield tree[1]
        return
    for part in tree[1:]:
        if isinstance(part, tuple):
            yield from _leaves(part, kind)
