"""The spec of a study or a recipe in a row -> the object, after a check of the types of its parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf
from typing import Any

from resbench.errors import Reason
from resbench.language.study.design import EXACT, MEASURED
from resbench.language.study.keep import RUNS
from resbench.store.schema.values import is_percent, is_whole_number, parse_object, shown

OBJECTIVES = (*MEASURED, *EXACT)


def parse_study(text: object, what: str) -> dict[str, Any]:
    """Parse the spec of a study. Raises Reason, with `what`, for anything else."""
    spec = parse_object(text, what)
    _check_parts(spec, _STUDY, what)
    _check_parts(spec.get("fixed", {}), _FIXED, f"{what}: fixed")
    return spec


def parse_recipe(text: object, what: str) -> dict[str, Any]:
    """Parse the spec of a recipe. Raises Reason, with `what`, for anything else."""
    spec = parse_object(text, what)
    _check_parts(spec, {"fail_above": ("a number from 0 to 100 or null", lambda v: v is None or is_percent(v))}, what)
    return spec


Parts = Mapping[str, tuple[str, Callable[[Any], bool]]]  # key of an object -> allowed values in words, and a test


def _check_parts(spec: Mapping[str, Any], parts: Parts, what: str) -> None:
    for key, (allowed, holds) in parts.items():
        if key in spec and not holds(spec[key]):
            raise Reason(f"{what}: {key}: expected {allowed}, got {shown(spec[key])}")


def _all(value: object, holds: Callable[[object], bool]) -> bool:
    return isinstance(value, list) and all(map(holds, value))


def _is_named(value: object) -> bool:
    return isinstance(value, dict) and isinstance(value.get("use"), str)


def _are_objects(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(item, dict) for item in value.values())


def _is_keep(value: object) -> bool:
    if not isinstance(value, dict) or {*value} != {"runs", "gib"} or value["runs"] not in RUNS:
        return False
    return isinstance(value["gib"], int | float) and not isinstance(value["gib"], bool) and 0 < value["gib"] < inf


_WHOLE_NUMBERS = ("a list of whole numbers", lambda value: _all(value, is_whole_number))
_STUDY: Parts = {
    "fixed": ("an object", lambda value: isinstance(value, dict)),
    "units": ("a list of texts", lambda value: _all(value, lambda item: isinstance(item, str))),
    "seeds": _WHOLE_NUMBERS,
    "plugins": ("a list of texts", lambda value: _all(value, lambda item: isinstance(item, str))),
    "looks": _WHOLE_NUMBERS,
    "keep": ("an object with `runs` and `gib`", _is_keep),
    "memory_bytes": ("a whole number or null", lambda value: value is None or is_whole_number(value)),
    "wrote": ("an object of objects", _are_objects),
    "latencies": ("an object of objects", _are_objects),
}
_FIXED: Parts = {
    "objectives": (
        f"a list of {', '.join(OBJECTIVES)}",
        lambda value: _all(value, lambda item: isinstance(item, str) and item in OBJECTIVES) and bool(value),
    ),
    "race": ("a list of whole numbers or null", lambda value: value is None or _all(value, is_whole_number)),
    "paired": ("true or false", lambda value: isinstance(value, bool)),
    "search": ("an object with a name under `use`", lambda value: value is None or _is_named(value)),
    "network": ("an object with a name under `use`", _is_named),
}
