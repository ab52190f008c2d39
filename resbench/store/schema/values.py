"""A value in a database -> whether a column of ours may hold it.  SQLite stores a value of any type in any column.

The readers of foreign files use it, so that no row needs to be trusted: `store/schema/columns.py` for databases,
`resbench.tabular` for frozen benchmarks. Every kind also describes the values that it allows.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from resbench.errors import Reason
from resbench.escape import printable
from resbench.random_streams import LARGEST
from resbench.store.results.seal import unseal

_SHAPE = re.compile(r"[1-9][0-9]{0,8}x[1-9][0-9]{0,8}x[1-9][0-9]{0,8}")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_SHOWN = 60  # characters of a value that is refused


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value: its description, and a test. The column decides whether NULL is allowed."""

    allowed: str
    holds: Callable[[object], bool]

    def check(self, what: str, value: Any) -> Any:
        """Return the value. Raises Reason where it is of another kind."""
        if self.holds(value):
            return value
        raise Reason(f"{what}: expected {self.allowed}, got {shown(value)}")


def shown(value: object) -> str:
    return printable(repr(value), _SHOWN)


def is_whole_number(value: object) -> bool:
    return type(value) is int and 0 <= value <= LARGEST


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]


def is_percent(value: object) -> bool:
    return _is_number(value) and 0 <= value <= 100  # type: ignore[operator]


def _is_duration(value: object) -> bool:
    return _is_number(value) and value >= 0  # type: ignore[operator]


def _is_json(value: object, kind: type, holds: Callable[[object], bool] = lambda item: True) -> bool:
    """Return whether a text is JSON of a kind; `holds` tests every item of a list."""
    try:
        if not isinstance(value, str):
            return False
        found = json.loads(value, parse_constant=_no_constant, parse_float=_finite)
        if _SURROGATE.search(value):  # a lone surrogate is not valid Unicode: it cannot be encoded
            json.dumps(found, ensure_ascii=False).encode()
        return isinstance(found, kind) and (not isinstance(found, list) or all(map(holds, found)))
    except (ValueError, RecursionError):
        return False


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _finite(digits: str) -> float:
    """Parse a float. Raise ValueError for a number so large that it would become infinity, which our JSON cannot represent."""
    number = float(digits)
    if math.isfinite(number):
        return number
    raise ValueError(f"{digits} is too large")


TEXT = Kind("a text", lambda value: isinstance(value, str))
WHOLE = Kind("a whole number from 0 to 2^63 - 1", is_whole_number)
NUMBER = Kind("a finite number", _is_number)
PERCENT = Kind("a number from 0 to 100", is_percent)
DURATION = Kind("a number of seconds, 0 or more", _is_duration)
FLAG = Kind("0 or 1", lambda value: type(value) in (int, bool) and value in (0, 1))
SHAPE = Kind("three sizes such as 3x32x32", lambda value: isinstance(value, str) and bool(_SHAPE.fullmatch(value)))
OBJECT = Kind("a JSON object", lambda value: _is_json(value, dict))
LIST = Kind("a JSON list", lambda value: _is_json(value, list))
SEEDS = Kind("a JSON list of whole numbers from 0 to 2^63 - 1", lambda value: _is_json(value, list, is_whole_number))
TAGS = Kind("a JSON list of texts", lambda value: _is_json(value, list, lambda item: isinstance(item, str)))


def _is_sealed(value: object) -> bool:
    try:
        error, loss = unseal(value)
        return (error is None or is_percent(error)) and (loss is None or _is_number(loss))
    except (ValueError, TypeError, OverflowError, RecursionError):
        return False


SEALED = Kind("a sealed test score, as resbench writes it", _is_sealed)


def one_of(words: Sequence[str]) -> Kind:
    return Kind(f"one of {', '.join(words)}", lambda value: isinstance(value, str) and value in words)


def number_kind(name: str) -> Kind:
    """Return the kind of a column of numbers, by the unit at the end of its name."""
    return PERCENT if name.endswith("_pct") else DURATION if name.endswith("_s") else NUMBER


def parse_object(text: object, what: str) -> dict[str, Any]:
    """Parse a JSON object in a row. Raises Reason, with `what`, for anything else."""
    found: dict[str, Any] = json.loads(OBJECT.check(what, text))
    return found


def parse_list(text: object, what: str, kind: Kind = LIST) -> list[Any]:
    """Parse a JSON list in a row, of any items or of a kind. Raises Reason, with `what`, for anything else."""
    found: list[Any] = json.loads(kind.check(what, text))
    return found
