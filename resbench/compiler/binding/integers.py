"""A value that must be an integer -> int, or an error that names nearby values that work."""

from __future__ import annotations

from resbench.compiler.binding.scope import Frame, Scope, shown
from resbench.errors import Reason, SpecError
from resbench.language.expressions.expression import Expression
from resbench.language.yaml.node import Node

REACH = 64  # the largest distance of a suggestion from the given value


def whole(node: Node, frame: Frame, what: str, low: int = 0, high: int = 10**9) -> int:
    """Return the node's value as an int. Raise SpecError where `what` is not a whole number from low to high."""
    value = frame.settle(node)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and float(value).is_integer() and low <= value <= high:
        return int(value)
    node, frame = frame.written(node)
    got = f"{node.shown()} = {value:.6g}" if number and isinstance(node.value, Expression) else shown(value)
    message = f"{what} must be a whole number from {low:,} to {high:,}, got {got}"
    hint = _nearby(node, frame, low, high) if number else ""
    if not hint and number and "/" in node.shown() and "//" not in node.shown():
        hint = "; `//` divides and rounds down"
    raise SpecError([node.problem(message + hint)])


def _nearby(node: Node, frame: Frame, low: int, high: int) -> str:
    """Return a hint such as `; depth = 56 or 62 would do`: the nearest values of one constant param that give a whole number."""
    if not isinstance(node.value, Expression):
        return ""
    for name in _constants(node.value, frame.scope):
        given = frame.scope.param(name)
        if not isinstance(given, int):  # a case whose name is a number
            continue
        found = []
        for steps in (range(-1, -REACH, -1), range(1, REACH)):
            fitting = (
                given + step for step in steps if _gives_whole(node, frame, name, given + step, low=low, high=high)
            )
            found += [str(value) for _, value in zip(range(1), fitting, strict=False)]
        if found:
            return f"; {name} = {' or '.join(found)} would do"
    return ""


def _constants(expression: Expression, scope: Scope) -> list[str]:
    """Yield the integer params on which the expression depends, through other params too."""
    found: list[str] = []
    seen: set[str] = set()  # a block's `out: $out` means the unit's, and leads back to its own name here
    names = list(expression.names)
    while names:
        name = names.pop(0)
        if name not in scope.params or name in seen:
            continue
        seen.add(name)
        param = scope.params[name]
        inner = param.by if param.by is not None else scope.given.get(name, (param.default, None))[0]
        if isinstance(inner.value, Expression):
            names += inner.value.names
        elif isinstance(inner.value, int) and not isinstance(inner.value, bool):
            found.append(name)
    return found


def _gives_whole(node: Node, frame: Frame, name: str, value: int, *, low: int, high: int) -> bool:
    scope = frame.scope
    tried = Scope(scope.params, {**scope.given, name: (Node(value), None)}, scope.known, scope.prefix, scope.choose)
    try:
        result = Frame(tried, frame.known).settle(node)
    except (SpecError, Reason):
        return False
    return isinstance(result, int) and not isinstance(result, bool) and max(low, 1) <= result <= high
