"""A bound op -> its code: a layer, a formula where it has no parameters, and statements that initialize its parameters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch

from resbench.compiler.export.python.copied_ops import CopiedOps
from resbench.compiler.export.python.formatter import QUOTED
from resbench.compiler.export.python.named_numbers import Names, name_arguments, name_of, named
from resbench.compiler.graph import Arguments, BoundOp, Shape
from resbench.compiler.modules.unit import make_module
from resbench.language.graph.signature import Argument, tidy
from resbench.ops.convolution.window import short_pair
from resbench.ops.parameter import Initial, Parametric
from resbench.ops.registry import Code, kind
from resbench.ops.schema import table

INNER = "\u01c1"  # a letter to Python: before the name of an argument that is a list of ops
INPUT = "\u01c2"  # before the number of an input
_HOLD, _LET_GO = str.maketrans("{}", "\0\1"), str.maketrans("\0\1", "{}")


class LayerRef(str):
    """A name that represents a list of ops; no text of a spec can equal it."""


@dataclass(frozen=True, slots=True)
class OpCode:
    """The code of an op. `layer`, `formula`: expressions, at least one. `flatten`: the input must lose its sizes of 1
    first.

    `has_state`: the state_dict has entries of it. `starts`: parameters whose start differs from the op's default.
    """

    layer: str | None
    formula: str | None
    flatten: bool
    has_state: bool
    starts: tuple[tuple[str, Initial | None], ...]


def form(op: BoundOp, shape: Shape, path: str, copies: CopiedOps, names: Names) -> OpCode:
    """Return the code of an op; `shape` is that of its first input, `path` the prefix of its numbers' names, which are
    added to `names`.
    """
    channels = named(shape[0], name_of(path, "channels"), names)
    graphs = {key: LayerRef(f"{INNER}{key}") for key, _ in op.inner}
    arguments = name_arguments({k: v for k, v in op.arguments if k not in graphs}, path, names) | graphs
    write = kind(op.op).code
    code = write(arguments, channels) if write is not None else Code()
    layer = code.of_vector if code.of_vector is not None and len(shape) == 1 else code.module
    if layer is None and code.call is None:
        layer = _copied(op.op, channels, arguments, copies)
    flatten = code.flat and len(shape) > 1
    has_state, starts = state(op.op, op.arguments, shape[0])
    return OpCode(layer, code.call, flatten, has_state, starts)


def copied_layer(op: BoundOp, shape: Shape, path: str, copies: CopiedOps, names: Names) -> str:
    """Return a layer for an op that plain torch has only as a formula."""
    channels = named(shape[0], name_of(path, "channels"), names)
    return _copied(op.op, channels, name_arguments(dict(op.arguments), path, names), copies)


def _copied(op: str, channels: Any, arguments: dict[str, Any], copies: CopiedOps) -> str:
    name = copies.of_class(kind(op).module)
    first = [str(channels)] if table()[op].wants_channels else []
    rest = [
        f"{key}={_written(arguments[key], argument)}"
        for key, argument in table()[op].arguments.items()
        if key not in copies.dropped[name]
    ]
    return f"{name}({', '.join([*first, *rest])})"


def _written(value: Any, argument: Argument) -> str:
    """Return the value as a person writes it: one number for a pair of equals, a list of ops by its name."""
    if isinstance(value, str):
        return value if isinstance(value, LayerRef) else repr(value)
    return repr(short_pair(value) if {"int", "pair"} <= set(argument.kinds) else value)


@lru_cache(maxsize=4096)
def state(op: str, arguments: Arguments, channels: int) -> tuple[bool, tuple[tuple[str, Initial | None], ...]]:
    """Return whether the op's module holds anything, and the parameters that the arguments make start in a way of their
    own.
    """
    with torch.device("meta"):
        module = make_module(op, arguments, channels)
        known = table()[op].arguments
        plain = tuple(
            (
                key,
                tidy(known[key].default, known[key]) if "initial" in known[key].kinds or key == "bias_init" else value,
            )
            for key, value in arguments
        )
        other = module if plain == arguments else make_module(op, plain, channels)
    starts: list[tuple[str, Initial | None]] = []
    if isinstance(module, Parametric) and isinstance(other, Parametric):
        starts = [(k, s.initial) for k, s in module.starts.items() if s.initial != other.starts[k].initial]
    return bool(module.state_dict()), tuple(starts)


def start_lines(path: str, starts: Sequence[tuple[str, Initial | None]], names: Names) -> list[str]:
    """`nn.init.constant_(self.g.conv1.bias, -6.0)` and so on; the numbers are added to `names`, except for 0 and 1."""
    found = []
    for parameter, initial in starts:
        target, name = f"self.{path}.{parameter}", name_of(path, f"{parameter}_init")
        if initial in (0, 1):
            found.append(f"nn.init.{'ones' if initial else 'zeros'}_({target})")
        elif isinstance(initial, tuple):  # {normal: sd}, as binding writes it
            found.append(f"nn.init.normal_({target}, std={named(dict(initial)['normal'], name, names)})")
        elif initial is not None:
            found.append(f"nn.init.constant_({target}, {named(initial, name, names)})")
    return found


def formula(text: str, inputs: int) -> str:
    """`{0}` and `{all}` as names; an expression over two is repeated for more, from left to right.

    >>> formula("{0} + {1}", 3).replace(INPUT, "x")
    '((x0) + x1) + x2'
    """
    held = QUOTED.sub(lambda quoted: quoted[0].translate(_HOLD), text)  # braces of a text are not the formula's
    return _formula(held, inputs).translate(_LET_GO)


def _formula(text: str, inputs: int) -> str:
    if "{all}" in text:
        return text.replace("{all}", "".join(f"{INPUT}{i}, " for i in range(inputs)).rstrip())
    if "{1}" not in text or f"{{{inputs - 1}}}" in text:
        return re.sub(r"\{(\d)\}", rf"{INPUT}\1", text)
    result = f"{INPUT}0"
    for i in range(1, inputs):
        result = text.replace("{0}", f"({result})").replace("{1}", f"{INPUT}{i}")
    return result
