"""Define the signature of an op or block, Signature(name, arguments, inputs), and check one constant argument.

ops/schema.py makes these from the ops' source without importing torch; a block makes its own from its params.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from resbench.language.graph.op_facts import Effect, Join, Role


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument; `kinds` are the words of the annotation: int, float, bool, str, None, pair (of ints), initial, ops,
    or literal.

    `doc` describes it, from the line `name: ...` of the class's docstring, or the comment behind a block's param.
    """

    kinds: tuple[str, ...]
    required: bool
    default: Any = None
    literals: tuple[str, ...] = ()
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Signature:
    """The signature of an op or block; `doc` is the first line of the op's file, `more` the rest of its docstrings.

    An op declares `aliases`, other names that mean it; `near`, names of other ops to which it comes closest, for hints;
    `kernel_in_name`, whether `conv3x3` is `conv` with a kernel; role, effect and join as in op_facts.py, None where
    undeclared; `by_channel`, whether its channels are independent; `global_pool`, whether it pools whole maps.
    """

    name: str
    arguments: Mapping[str, Argument]
    inputs: tuple[int, int | None] = (1, 1)  # fewest and most sources; None: any number
    wants_channels: bool = False
    doc: str = ""
    origin: str = ""
    more: str = ""
    aliases: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    kernel_in_name: bool = False
    role: Role | None = None
    effect: Effect | None = None
    joins: Join | None = None
    by_channel: bool = False
    global_pool: bool = False


MAX_WHOLE = 10**9  # torch counts in 64 bits; no value here may be larger

_WORDS = {
    "int": "a whole number", "float": "a number", "bool": "true or false", "str": "a text", "None": "nothing",
    "pair": "two whole numbers [height, width]",
    "initial": "zeros, ones, a number or {normal: sd from 0}", "ops": "a list of ops",
}  # fmt: skip


def allowed(argument: Argument, given: object = None) -> str:
    """Describe the allowed values, with the bounds for a number that is too large.

    >>> allowed(Argument(("int", "pair"), True))
    'a whole number or two whole numbers [height, width]'
    """
    words = [_WORDS[kind] for kind in argument.kinds if kind != "literal"]
    size = given if isinstance(given, int | float) else 0
    bound = f" from -{MAX_WHOLE:,} to {MAX_WHOLE:,}" if "int" in argument.kinds and abs(size) > MAX_WHOLE else ""
    return " or ".join(words + [f"`{text}`" for text in argument.literals]) + bound


def fits(value: object, argument: Argument) -> bool:
    """Return whether plain data fits an argument's kind; strict: true is not a number, 1.0 is a whole number."""
    return any(_fits(value, kind, argument.literals) for kind in argument.kinds)


def _fits(value: object, kind: str, literals: tuple[str, ...]) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if kind == "int":
        return number and float(value).is_integer() and abs(value) <= MAX_WHOLE  # type: ignore[arg-type]
    if kind == "float":
        return number
    if kind == "bool":
        return isinstance(value, bool)
    if kind == "None":
        return value is None
    if kind == "pair":
        return isinstance(value, list | tuple) and len(value) == 2 and all(_fits(item, "int", ()) for item in value)
    if kind == "initial":
        return number or value in ("zeros", "ones") or _is_normal(value)
    return isinstance(value, str) and (kind == "str" or value in literals)


def _is_normal(value: object) -> bool:
    return (
        isinstance(value, dict)
        and list(value) == ["normal"]
        and _fits(value["normal"], "float", ())
        and value["normal"] >= 0
    )


def tidy(value: Any, argument: Argument) -> Any:
    """Return a fitting value in its canonical form: 1.0 -> 1, 1 -> 1.0 for a number, an int or list -> a pair, `ones`
    -> 1.0, `{normal: 1}` -> the pairs ((normal, 1.0),).
    """
    if isinstance(value, dict):
        return tuple((key, float(item)) for key, item in sorted(value.items()))
    if "initial" in argument.kinds and isinstance(value, str):
        return {"zeros": 0.0, "ones": 1.0}[value]
    if isinstance(value, list | tuple):
        return tuple(int(item) for item in value)
    if "pair" in argument.kinds and isinstance(value, int | float):
        return (int(value), int(value))
    if isinstance(value, int | float) and not isinstance(value, bool):
        if "int" in argument.kinds and float(value).is_integer():
            return int(value)
        return float(value)
    return value
