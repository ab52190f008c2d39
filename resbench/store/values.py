"""A value found in a database -> whether a column of ours may hold it.  SQLite keeps a value of any type in any column.

Whoever reads a file of a stranger's asks here, so that no reader has to trust a row: `store/columns.py` for databases,
`resbench.tabular` for frozen benchmarks. Every kind also says in words what it allows.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from resbench.errors import Fact
from resbench.escape import printable
from resbench.seeds import LARGEST
from resbench.spec.design import EXACT, MEASURED

_SHAPE = re.compile(r"[1-9][0-9]{0,8}x[1-9][0-9]{0,8}x[1-9][0-9]{0,8}")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
OBJECTIVES = (*MEASURED, *EXACT)
_SHOWN = 60  # characters of a value that is refused


@dataclass(frozen=True, slots=True)
class Kind:
    """What a column holds: in words, and a test. NULL is for the column to allow."""

    allowed: str
    holds: Callable[[object], bool]

    def check(self, what: str, value: Any) -> Any:
        """Return the value. Raises Fact where it is of another kind."""
        if self.holds(value):
            return value
        raise Fact(f"{what}: expected {self.allowed}, got {shown(value)}")


def shown(value: object) -> str:
    return printable(repr(value), _SHOWN)


def _is_whole(value: object) -> bool:
    return type(value) is int and 0 <= value <= LARGEST


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]


def _is_percent(value: object) -> bool:
    return _is_number(value) and 0 <= value <= 100  # type: ignore[operator]


def _is_duration(value: object) -> bool:
    return _is_number(value) and value >= 0  # type: ignore[operator]


def _is_json(value: object, kind: type, holds: Callable[[object], bool] = lambda item: True) -> bool:
    """`holds`: of every item of a list."""
    try:
        if not isinstance(value, str):
            return False
        found = json.loads(value, parse_constant=_no_constant)
        if _SURROGATE.search(value):  # half of a pair is no Unicode: it could be written nowhere
            json.dumps(found, ensure_ascii=False).encode()
        return isinstance(found, kind) and (not isinstance(found, list) or all(map(holds, found)))
    except (ValueError, RecursionError):
        return False


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


TEXT = Kind("a text", lambda value: isinstance(value, str))
WHOLE = Kind("a whole number from 0 to 2^63 - 1", _is_whole)
NUMBER = Kind("a finite number", _is_number)
PERCENT = Kind("a number from 0 to 100", _is_percent)
DURATION = Kind("a number of seconds, 0 or more", _is_duration)
FLAG = Kind("0 or 1", lambda value: type(value) in (int, bool) and value in (0, 1))
SHAPE = Kind("three sizes such as 3x32x32", lambda value: isinstance(value, str) and bool(_SHAPE.fullmatch(value)))
OBJECT = Kind("a JSON object", lambda value: _is_json(value, dict))
LIST = Kind("a JSON list", lambda value: _is_json(value, list))
SEEDS = Kind("a JSON list of whole numbers from 0 to 2^63 - 1", lambda value: _is_json(value, list, _is_whole))
TAGS = Kind("a JSON list of texts", lambda value: _is_json(value, list, lambda item: isinstance(item, str)))


def one_of(words: Sequence[str]) -> Kind:
    return Kind(f"one of {', '.join(words)}", lambda value: isinstance(value, str) and value in words)


def number_kind(name: str) -> Kind:
    """What a column of numbers holds, by the unit that its name ends with."""
    return PERCENT if name.endswith("_pct") else DURATION if name.endswith("_s") else NUMBER


def parse_object(text: object, what: str) -> dict[str, Any]:
    """Read a JSON object that stands in a row. Raises Fact, with `what`, for anything else."""
    found: dict[str, Any] = json.loads(OBJECT.check(what, text))
    return found


def parse_list(text: object, what: str, kind: Kind = LIST) -> list[Any]:
    """The same for a JSON list, of any items or of a kind."""
    found: list[Any] = json.loads(kind.check(what, text))
    return found


def parse_study(text: object, what: str) -> dict[str, Any]:
    """The same for the spec of a study, whose parts must have the types that they are written with."""
    spec = parse_object(text, what)
    _check_parts(spec, _STUDY, what)
    _check_parts(spec.get("fixed", {}), _FIXED, f"{what}: fixed")
    return spec


def parse_recipe(text: object, what: str) -> dict[str, Any]:
    """The same for the spec of a recipe."""
    spec = parse_object(text, what)
    _check_parts(spec, {"fail_above": ("a number from 0 to 100 or null", lambda v: v is None or _is_percent(v))}, what)
    return spec


Parts = Mapping[str, tuple[str, Callable[[Any], bool]]]  # of an object, by key: what is allowed there, and a test


def _check_parts(spec: Mapping[str, Any], parts: Parts, what: str) -> None:
    for key, (allowed, holds) in parts.items():
        if key in spec and not holds(spec[key]):
            raise Fact(f"{what}: {key}: expected {allowed}, got {shown(spec[key])}")


def _all(value: object, holds: Callable[[object], bool]) -> bool:
    return isinstance(value, list) and all(map(holds, value))


def _is_named(value: object) -> bool:
    return isinstance(value, dict) and isinstance(value.get("use"), str)


def _are_objects(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(item, dict) for item in value.values())


_WHOLE_NUMBERS = ("a list of whole numbers", lambda value: _all(value, _is_whole))
_STUDY: Parts = {
    "fixed": ("an object", lambda value: isinstance(value, dict)),
    "units": ("a list of texts", lambda value: _all(value, lambda item: isinstance(item, str))),
    "seeds": _WHOLE_NUMBERS,
    "looks": _WHOLE_NUMBERS,
    "memory_bytes": ("a whole number or null", lambda value: value is None or _is_whole(value)),
    "wrote": ("an object of objects", _are_objects),
    "latencies": ("an object of objects", _are_objects),
}
_FIXED: Parts = {
    "objectives": (
        f"a list of {', '.join(OBJECTIVES)}",
        lambda value: _all(value, lambda item: isinstance(item, str) and item in OBJECTIVES) and bool(value),
    ),
    "race": ("a list of whole numbers or null", lambda value: value is None or _all(value, _is_whole)),
    "paired": ("true or false", lambda value: isinstance(value, bool)),
    "search": ("an object with a name under `use`", lambda value: value is None or _is_named(value)),
    "network": ("an object with a name under `use`", _is_named),
}
