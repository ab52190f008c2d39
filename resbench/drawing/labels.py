"""BoundOp -> its label: `conv3x3 16→32 /2`, `dropout 0.5`, `group_norm 8 eps 0.001`; and its kind.

A default argument is omitted; a required one has no name. The kind of an op sets its colour;
an op that joins values has a sign.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from resbench.compiler.graph import BoundOp, Graph, Shape
from resbench.language.graph.op_facts import Role
from resbench.language.graph.op_list import DEPTHWISE
from resbench.language.graph.signature import tidy
from resbench.ops.parameter import Random, kinds_of
from resbench.ops.registry import OpKind
from resbench.ops.schema import table

Kind = Role
_OF_PARAMETERS: dict[str, Kind] = {"conv": "weights", "linear": "weights", "norm": "norm"}
_SHOWN_APART = ("kernel", "out", "stride", "start", "stop")


def label(op: BoundOp, input_shape: Shape) -> str:
    """Return the label of an op; `input_shape` is that of its first input."""
    arguments = {key: value for key, value in op.arguments if not isinstance(value, Graph)}
    channels = input_shape[0]
    name, through, sized = op.op, "", table()[op.op].kernel_in_name
    if "out" in arguments:
        through = f"{channels}→{arguments['out']}"
    if arguments.get("groups") == channels == arguments.get("out") and sized and channels > 1:
        name, through = f"{DEPTHWISE}{name}", str(channels)
        del arguments["groups"]
    kernel = _value(arguments["kernel"]) if "kernel" in arguments else ""
    if "x" not in kernel and kernel:
        kernel = f"{kernel}x{kernel}"
    words = [f"{name}{kernel}" if sized else f"{name} {kernel}".strip(), through, _range(arguments)]
    if "stride" in arguments and (stride := _value(arguments["stride"])) != "1":
        words.append(f"/{stride}")
    return " ".join(word for word in (*words, *_rest(op.op, arguments)) if word)


def _range(arguments: Mapping[str, Any]) -> str:
    """Return the range of a slice."""
    return f"{arguments['start']}:{arguments['stop']}" if "start" in arguments and "stop" in arguments else ""


def _rest(op: str, arguments: Mapping[str, Any]) -> list[str]:
    words = []
    for key, argument in table()[op].arguments.items():
        if key in _SHOWN_APART or key not in arguments:
            continue
        value = arguments[key]
        if argument.required:
            words.append(_value(value))
        elif value != tidy(argument.default, argument):
            name = key.replace("_", " ")
            if isinstance(value, bool):
                words.append(name if value else f"{name} off")
            elif key.endswith("_init") and words and words[-1] == key.removesuffix("_init"):
                words.append(_value(value))  # `bias -6`
            else:
                words.append(f"{name} {_value(value)}")
    return words


def _value(value: Any) -> str:
    """(2, 2) -> 2, (1, 7) -> 1x7, 0.5 -> 0.5, (("normal", 0.1),) -> normal 0.1"""
    if isinstance(value, tuple):
        if all(isinstance(item, tuple) for item in value):
            return " ".join(f"{_value(key)} {_value(item)}" for key, item in value)
        return _value(value[0]) if len(set(value)) == 1 else "x".join(_value(item) for item in value)
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)


def kind_of(what: OpKind, module: nn.Module) -> Kind:
    """Return the op's role; an op without a declared one follows its module: the kind of its parameters, or whether it
    draws random numbers.
    """
    if what.role is not None:
        return what.role
    if what.joins is not None:
        return "merge"
    if isinstance(module, Random):
        return "random"
    kinds = {kind for part in module.modules() for kind in kinds_of(part).values()}
    if kinds:
        return next((kind for name, kind in _OF_PARAMETERS.items() if name in kinds), "gate")
    return "other"
