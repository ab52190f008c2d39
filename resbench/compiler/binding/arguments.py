"""An op's argument as written -> its value, in the argument's own type; equal meanings get equal values."""

from __future__ import annotations

from typing import Any

from resbench.compiler.binding.integers import whole
from resbench.compiler.binding.scope import Frame, shown
from resbench.errors import SpecError
from resbench.language.graph.op_list import OpCall
from resbench.language.graph.signature import Argument, allowed, fits, tidy
from resbench.language.yaml.node import Node


def bind_argument(call: OpCall, name: str, argument: Argument, frame: Frame) -> Any:
    """Return the bound value of an argument; `out` defaults to the unit's. Raise SpecError at the argument, or at the
    op where it is missing.
    """
    node = call.arguments.get(name)
    if node is None and name == "out" and argument.required:
        if "out" not in frame.known and "out" not in frame.scope.params:
            raise SpecError([call.node.problem(f"{call.name}: argument `out` must be given outside a unit")])
        node = Node("$out", call.node.place, call.node.path)
        value = frame.lookup("out")
        if value is None:
            raise SpecError([call.node.problem(f"{call.name}: argument `out` must be given: the stage names no `out`")])
    elif node is None:
        return tidy(argument.default, argument)
    else:
        value = frame.plain(node)
    if argument.kinds == ("int",) and not fits(value, argument):
        return whole(node, frame, f"{call.name}: {name}")
    if not fits(value, argument):
        node, _ = frame.written(node)
        raise SpecError(
            [
                node.problem(
                    f"{call.name}: {name} must be {allowed(argument, value)}, got {node.shown()} = {shown(value)}"
                )
            ]
        )
    return tidy(value, argument)
