"""An op's argument as written -> its value, in the argument's own type; equal meanings get equal values."""

from __future__ import annotations

from typing import Any

from resbench.compiler.scope import Frame
from resbench.compiler.whole import whole
from resbench.errors import SpecError
from resbench.spec.node import Node
from resbench.spec.oplist import OpCall
from resbench.spec.signature import Argument, allowed, fits, tidy

_WORDS = {"zeros": 0.0, "ones": 1.0}


def bind_argument(call: OpCall, name: str, argument: Argument, frame: Frame) -> Any:
    """`out` is the unit's where it is not given. Raises SpecError at the argument, or at the op where it is missing."""
    node = call.arguments.get(name)
    if node is None and name == "out" and argument.required:
        if "out" not in frame.known and "out" not in frame.scope.params:
            raise SpecError([call.node.problem(f"{call.name}: argument `out` must be given outside a unit")])
        node = Node("$out", call.node.place, call.node.path)
        value = frame.lookup("out")
        if value is None:
            raise SpecError([call.node.problem(f"{call.name}: argument `out` must be given: the stage names no `out`")])
    elif node is None:
        return _one_way(tidy(argument.default, argument), argument)
    else:
        value = frame.plain(node)
    if argument.kinds == ("int",) and not fits(value, argument):
        return whole(node, frame, f"{call.name}: {name}")
    if not fits(value, argument):
        raise SpecError(
            [node.problem(f"{call.name}: {name} must be {allowed(argument)}, got {node.shown()} = {value}")]
        )
    return _one_way(tidy(value, argument), argument)


def _one_way(value: Any, argument: Argument) -> Any:
    """A start said in one way: `ones` is 1.0, `{normal: 1}` is the pair (normal, 1.0)."""
    if "initial" in argument.kinds and isinstance(value, str):
        return _WORDS[value]
    return tuple((key, float(item)) for key, item in sorted(value.items())) if isinstance(value, dict) else value
